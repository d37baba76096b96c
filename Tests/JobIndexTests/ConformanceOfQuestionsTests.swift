import SpoolFormat
import Testing

@testable import JobIndex

@Suite struct ConformanceOfQuestionsTests {
    @Test(arguments: StoreKind.allCases)
    func `a key is held by unfinished jobs and remembered by the last one`(kind: StoreKind) throws {
        try kind.run { store in
            func keyed(_ id: String, _ sequence: Int64, _ state: JobState, _ reason: StateRecord.Reason? = nil) -> JobRow {
                .sample(id, sequence, state) {
                    $0.key = "k"
                    $0.reason = reason
                }
            }
            try store.put(keyed("behind", 5, .waiting, .key))
            try store.put(keyed("delayed", 4, .waiting, .delay))
            try store.put(keyed("done", 1, .done))
            try store.put(keyed("running", 2, .running))
            try store.put(keyed("queued", 3, .queued))
            try store.put(keyed("failed-last", 6, .failed))
            try store.put(.sample("keyless", 7))
            #expect(try store.unfinished(key: "k").ids == ["running", "queued", "delayed", "behind"])
            #expect(try store.nextWaiting(forKey: "k", after: -1)?.id.text == "behind")
            #expect(try store.nextWaiting(forKey: "k", after: 5) == nil)
            #expect(try store.holder(ofKey: "k", before: 5)?.id.text == "delayed")
            #expect(try store.holder(ofKey: "k", before: 3)?.id.text == "running")
            #expect(try store.holder(ofKey: "k", before: 2) == nil)
            #expect(try store.latest(key: "k")?.id.text == "failed-last")
            #expect(try store.latest(key: "other") == nil)
            #expect(try store.unfinished(key: "other").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `only waiting jobs wait for a dependency`(kind: StoreKind) throws {
        try kind.run { store in
            func after(_ id: String, _ sequence: Int64, _ state: JobState, _ names: String...) -> JobRow {
                .sample(id, sequence, state) { $0.dependencies = names }
            }
            try store.put(after("both", 3, .waiting, "a", "b", "a"))
            try store.put(after("one", 2, .waiting, "a"))
            try store.put(after("queued", 1, .queued, "a"))
            #expect(try store.waiting(forDependency: "a").ids == ["one", "both"])
            #expect(try store.waiting(forDependency: "b").ids == ["both"])
            try store.put(after("one", 2, .queued, "a"))
            #expect(try store.waiting(forDependency: "a").ids == ["both"])
            try store.put(after("one", 2, .waiting, "a"))
            #expect(try store.waiting(forDependency: "a").ids == ["one", "both"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `waits that end and starts that come too late fall due, the earliest first`(kind: StoreKind) throws {
        try kind.run { store in
            #expect(try store.nextDue() == nil)
            try store.put(.sample("until-30", 1, .waiting) { $0.until = .second(30) })
            try store.put(.sample("until-20", 2, .waiting) { $0.until = .second(20) })
            try store.put(.sample("expires-10-until-40", 3, .waiting) { ($0.until, $0.expiresAt) = (.second(40), .second(10)) })
            try store.put(.sample("expires-20", 0, .queued) { $0.expiresAt = .second(20) })
            try store.put(.sample("running", 5, .running) { $0.expiresAt = .second(1) })
            try store.put(.sample("done", 6, .done) { ($0.expiresAt, $0.until) = (.second(1), .second(1)) })
            try store.put(.sample("queued-until", 7, .queued) { $0.until = .second(1) })
            #expect(try store.nextDue() == .second(10))
            #expect(try store.due(at: .second(9), limit: 10).isEmpty)
            #expect(try store.due(at: .second(10), limit: 10).ids == ["expires-10-until-40"])
            #expect(try store.due(at: .second(99), limit: 10).ids == ["expires-10-until-40", "expires-20", "until-20", "until-30"])
            #expect(try store.due(at: .second(99), limit: 2).ids == ["expires-10-until-40", "expires-20"])
            try store.put(.sample("expires-10-until-40", 3, .running))
            #expect(try store.nextDue() == .second(20))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `children are counted in every state`(kind: StoreKind) throws {
        try kind.run { store in
            for (index, state) in JobState.allCases.enumerated() {
                try store.put(.sample("child-\(index)", Int64(index), state) { $0.parent = "up" })
            }
            try store.put(.sample("up", 9))
            #expect(try store.childCount(of: "up") == 5)
            #expect(try store.childCount(of: "child-0") == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `a selector names jobs by id, queue or labels`(kind: StoreKind) throws {
        try kind.run { store in
            try store.put(.sample("c", 3, .running, queue: "q") { $0.labels = ["team": "x", "kind": "lint"] })
            try store.put(.sample("a", 1, .waiting, queue: "q") { $0.labels = ["team": "x"] })
            try store.put(.sample("b", 2, .queued) { $0.labels = ["team": "y", "kind": "lint"] })
            try store.put(.sample("d", 4, .done, queue: "q") { $0.labels = ["team": "x"] })
            let live: Set<JobState> = [.waiting, .queued, .running]
            #expect(try store.select(.job("a"), in: live).ids == ["a"])
            #expect(try store.select(.job("d"), in: live).isEmpty)
            #expect(try store.select(.job("not an id"), in: live).isEmpty)
            #expect(try store.select(.queue("q"), in: live).ids == ["a", "c"])
            #expect(try store.select(.queue("q"), in: [.done]).ids == ["d"])
            #expect(try store.select(.queue("q"), in: []).isEmpty)
            #expect(try store.select(.labels(["team": "x"]), in: live).ids == ["a", "c"])
            #expect(try store.select(.labels(["team": "x", "kind": "lint"]), in: live).ids == ["c"])
            #expect(try store.select(.labels(["kind": "x"]), in: live).isEmpty)
            #expect(try store.select(.labels([:]), in: live).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `finished jobs are forgotten by age, longest finished first`(kind: StoreKind) throws {
        try kind.run { store in
            try store.put(.ended("late", 1, at: 30))
            try store.put(.ended("early", 2, at: 10, .failed))
            try store.put(.ended("other", 3, at: 20, queue: "other"))
            try store.put(.ended("tie-b", 5, at: 10))
            // Its result can't be read: it ages from its acceptance in second 4.
            try store.put(.sample("unreadable", 4, .failed))
            try store.put(.sample("running", 6, .running))
            #expect(try store.finished(in: nil, before: .second(30), limit: 9).ids == ["unreadable", "early", "tie-b", "other"])
            #expect(try store.finished(in: nil, before: .second(99), limit: 9).ids == ["unreadable", "early", "tie-b", "other", "late"])
            #expect(try store.finished(in: nil, before: .second(99), limit: 2).ids == ["unreadable", "early"])
            #expect(try store.finished(in: "default", before: .second(30), limit: 9).ids == ["unreadable", "early", "tie-b"])
            #expect(try store.finished(in: "other", before: .second(30), limit: 9).ids == ["other"])
            #expect(try store.finished(in: "none", before: .second(30), limit: 9).isEmpty)
            #expect(try store.finished(in: nil, before: .second(99), limit: 0).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `finished jobs are forgotten by number, longest finished first`(kind: StoreKind) throws {
        try kind.run { store in
            for index in 1...6 { try store.put(.ended("job-\(index)", Int64(index), at: Int64(20 - index), index % 2 == 0 ? .failed : .succeeded)) }
            try store.put(.ended("other", 9, at: 1, queue: "other"))
            #expect(try store.finished(in: "default", beyondNewest: 4, limit: 9).ids == ["job-6", "job-5"])
            #expect(try store.finished(in: "default", beyondNewest: 4, limit: 1).ids == ["job-6"])
            #expect(try store.finished(in: "default", beyondNewest: 6, limit: 9).isEmpty)
            #expect(try store.finished(in: "default", beyondNewest: 7, limit: 9).isEmpty)
            #expect(try store.finished(in: "default", beyondNewest: 0, limit: 9).count == 6)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `a list is filtered, ordered and cut`(kind: StoreKind) throws {
        try kind.run { store in
            try store.put(.ended("d", 4, at: 9, .failed, queue: "q"))
            try store.put(.ended("c", 3, at: 8, .cancelled))
            try store.put(.ended("b", 2, at: 7))
            try store.put(.sample("a", 1, .queued, queue: "q") {
                $0.parent = "p"
                $0.labels = ["l": "1"]
            })
            try store.put(.sample("e", 5, .waiting) {
                $0.parent = "p"
                $0.labels = ["l": "1", "m": "1"]
            })
            func list(_ filter: JobFilter) throws -> [String] { try store.list(filter).ids }
            #expect(try list(JobFilter()) == ["a", "b", "c", "d", "e"])
            #expect(try list(JobFilter(newestFirst: true)) == ["e", "d", "c", "b", "a"])
            #expect(try list(JobFilter(limit: 2)) == ["a", "b"])
            #expect(try list(JobFilter(newestFirst: true, limit: 2)) == ["e", "d"])
            #expect(try list(JobFilter(limit: 0)) == [])
            #expect(try list(JobFilter(states: [])) == [])
            #expect(try list(JobFilter(states: [.failed, .queued])) == ["a", "c", "d"])
            #expect(try list(JobFilter(states: [.failed, .queued], newestFirst: true, limit: 2)) == ["d", "c"])
            #expect(try list(JobFilter(queue: "q")) == ["a", "d"])
            #expect(try list(JobFilter(states: [.failed], queue: "q")) == ["d"])
            #expect(try list(JobFilter(queue: "none")) == [])
            #expect(try list(JobFilter(outcome: .cancelled)) == ["c"])
            #expect(try list(JobFilter(states: [.done], outcome: .cancelled)) == [])
            #expect(try list(JobFilter(queue: "q", outcome: .failed)) == ["d"])
            #expect(try list(JobFilter(labels: ["l": "1"])) == ["a", "e"])
            #expect(try list(JobFilter(labels: ["l": "1", "m": "1"])) == ["e"])
            #expect(try list(JobFilter(labels: ["l": "1"], newestFirst: true, limit: 1)) == ["e"])
            #expect(try list(JobFilter(states: [.queued], labels: ["l": "1"], parent: "p")) == ["a"])
            #expect(try list(JobFilter(queue: "q", parent: "p")) == ["a"])
            #expect(try list(JobFilter(parent: "p", outcome: .failed)) == [])
            #expect(try list(JobFilter(states: [], parent: "p")) == [])
        }
    }
}
