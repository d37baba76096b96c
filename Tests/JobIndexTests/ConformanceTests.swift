import SpoolFormat
import Testing

@testable import JobIndex

/// What every store answers, whichever it is.
@Suite struct ConformanceTests {
    @Test(arguments: StoreKind.allCases)
    func `a row comes back as it was put, with every field`(kind: StoreKind) throws {
        try kind.run { store in
            let full = JobRow.sample("full-1", 7, .waiting, queue: "lint") {
                $0.verb = "cancel"
                $0.summary = "cancel x · é\u{0}\n"
                $0.priority = -100
                $0.key = "a key"
                $0.labels = ["b": "", "a": "ü\"\\", "": "empty name"]
                $0.parent = "up"
                $0.depth = 3
                $0.uid = .max
                $0.dependencies = ["z", "a", "z"]
                $0.runsAfterFailure = true
                $0.expiresAt = .second(9)
                $0.reason = .backoff
                $0.until = Timestamp(milliseconds: -5)
                $0.attempts = 2
                $0.startedAt = .second(1)
                $0.finishedAt = .second(2)
                $0.durationMilliseconds = .max
                $0.outcome = .timedOut
                $0.exitCode = 255
                $0.signal = 9
                $0.errorCode = "timed_out"
                $0.errorMessage = ""
                $0.onCrash = .fail
                $0.task = String(repeating: "long ", count: 10_000)
            }
            let bare = JobRow.sample("bare", 8)
            try store.put(full)
            try store.put(bare)
            #expect(try store.job(full.id) == full)
            #expect(try store.job(bare.id) == bare)
            try store.commit()
            #expect(try store.job(full.id) == full)
            #expect(try store.job(JobID("other")!) == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `put replaces every field of a job that is known`(kind: StoreKind) throws {
        try kind.run { store in
            try store.put(.sample("a", 1, .waiting) {
                $0.key = "k"
                $0.labels = ["l": "1", "m": "2"]
                $0.dependencies = ["x"]
                $0.parent = "p"
            })
            let second = JobRow.sample("a", 5, .waiting, queue: "other") {
                $0.key = "k2"
                $0.labels = ["m": "3"]
                $0.dependencies = ["y"]
                $0.parent = "q"
                $0.priority = 4
                $0.verb = "tasks"
            }
            try store.put(second)
            #expect(try store.job(second.id) == second)
            #expect(try store.unfinished(key: "k").isEmpty)
            #expect(try store.unfinished(key: "k2") == [second])
            #expect(try store.list(JobFilter(labels: ["l": "1"])).isEmpty)
            #expect(try store.list(JobFilter(labels: ["m": "2"])).isEmpty)
            #expect(try store.list(JobFilter(labels: ["m": "3"])) == [second])
            #expect(try store.waiting(forDependency: "x").isEmpty)
            #expect(try store.waiting(forDependency: "y") == [second])
            #expect(try store.childCount(of: "p") == 0)
            #expect(try store.childCount(of: "q") == 1)
            #expect(try store.highestSequence() == 5)
            #expect(try store.counts() == [JobCount(queue: "other", state: .waiting, count: 1)])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `a removed job leaves nothing behind`(kind: StoreKind) throws {
        try kind.run { store in
            try store.put(.sample("a", 1, .waiting) {
                $0.key = "k"
                $0.labels = ["l": "1"]
                $0.dependencies = ["x"]
                $0.parent = "p"
                $0.until = .second(3)
            })
            try store.remove(JobID("a")!)
            try store.remove(JobID("never-there")!)
            #expect(try store.job(JobID("a")!) == nil)
            #expect(try store.counts().isEmpty)
            #expect(try store.latest(key: "k") == nil)
            #expect(try store.waiting(forDependency: "x").isEmpty)
            #expect(try store.childCount(of: "p") == 0)
            #expect(try store.nextDue() == nil)
            #expect(try store.highestSequence() == 0)
            // Its place in the tables may be taken again: nothing old may hang on it.
            try store.put(.sample("b", 2, .waiting))
            #expect(try store.list(JobFilter(labels: ["l": "1"])).isEmpty)
            #expect(try store.waiting(forDependency: "x").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `the next job is of the highest priority, then of the earliest acceptance`(kind: StoreKind) throws {
        try kind.run { store in
            try store.put(.sample("low", 1) { $0.priority = -50 })
            try store.put(.sample("second", 3))
            try store.put(.sample("first", 2))
            try store.put(.sample("urgent", 9) { $0.priority = 100 })
            try store.put(.sample("other-queue", 1, queue: "lint") { $0.priority = 100 })
            try store.put(.sample("control", 1) { ($0.verb, $0.priority) = ("cancel", 100) })
            try store.put(.sample("waiting", 1, .waiting) { $0.priority = 100 })
            var order: [String] = []
            while var job = try store.nextQueued(in: "default") {
                order.append(job.id.text)
                job.state = .running
                try store.put(job)
                if order.count == 2 { try store.commit() }
            }
            #expect(order == ["urgent", "first", "second", "low"])
            #expect(try store.nextQueued(in: "lint")?.id.text == "other-queue")
            #expect(try store.nextQueued(in: "none") == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `two jobs may claim one place in the order of acceptance`(kind: StoreKind) throws {
        try kind.run { store in
            for id in ["c", "a", "b"] { try store.put(.sample(id, 4)) }
            #expect(try store.list(JobFilter()).ids == ["c", "a", "b"])
            #expect(try store.list(JobFilter(states: [.queued], newestFirst: true, limit: 2)).ids == ["b", "a"])
            #expect(try store.nextQueued(in: "default")?.id.text == "c")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `names are equal when their bytes are`(kind: StoreKind) throws {
        try kind.run { store in
            let composed = "\u{E9}"
            let decomposed = "e\u{301}"
            try store.put(.sample("a", 1, .waiting) {
                $0.key = composed
                $0.labels = [composed: composed]
                $0.dependencies = [composed]
                $0.reason = .key
            })
            for name in [composed, decomposed] {
                let count = name.utf8.count == 2 ? 1 : 0
                #expect(try store.unfinished(key: name).count == count)
                #expect((try store.nextWaiting(forKey: name, after: -1) != nil) == (count > 0))
                #expect(try store.waiting(forDependency: name).count == count)
                #expect(try store.list(JobFilter(labels: [name: composed])).count == count)
                #expect(try store.list(JobFilter(labels: [composed: name])).count == count)
            }
            #expect(try store.unfinished(key: "\u{C9}").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `every job and its state is told once`(kind: StoreKind) throws {
        try kind.run { store in
            for (index, state) in JobState.allCases.enumerated() { try store.put(.sample(state.rawValue, Int64(index), state)) }
            var seen: [String: JobState] = [:]
            try store.forEachState { id, state in
                #expect(seen[id.text] == nil)
                seen[id.text] = state
            }
            #expect(seen == Dictionary(uniqueKeysWithValues: JobState.allCases.map { ($0.rawValue, $0) }))

            struct Enough: Error {}
            #expect(throws: Enough.self) { try store.forEachState { _, _ in throw Enough() } }
            #expect(try store.counts().count == 5)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `facts are kept, replaced and forgotten, and outlive removeAll`(kind: StoreKind) throws {
        try kind.run { store in
            #expect(try store.fact("boot") == nil)
            try store.setFact("boot", "one")
            try store.setFact("boot", "")
            try store.setFact("swept", "x")
            try store.commit()
            try store.setFact("swept", nil)
            try store.setFact("never", nil)
            try store.removeAll()
            #expect(try store.fact("boot")?.isEmpty == true)
            #expect(try store.fact("swept") == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `how a forgotten job ended is remembered for a time`(kind: StoreKind) throws {
        try kind.run { store in
            func job(_ id: String, _ key: String?, _ outcome: Outcome, _ second: Int64) -> ForgottenJob {
                ForgottenJob(id: JobID(id)!, key: key, outcome: outcome, finishedAt: .second(second))
            }
            let first = job("a", "k", .succeeded, 1)
            let second = job("b", "k", .failed, 2)
            for forgotten in [second, first, job("c", "k", .superseded, 3), job("k2", nil, .lost, 4)] { try store.remember(forgotten) }
            try store.commit()
            #expect(try store.forgotten("a") == first)
            #expect(try store.forgotten("k") == second)
            #expect(try store.forgotten("k2")?.outcome == .lost)
            #expect(try store.forgotten("nobody") == nil)
            let again = job("a", "other", .cancelled, 9)
            try store.remember(again)
            #expect(try store.forgotten("a") == again && store.forgotten("other") == again)
            try store.rollback()
            #expect(try store.forgotten("a") == first)
            try store.dropForgotten(before: .second(2))
            #expect(try store.forgotten("a") == nil && store.forgotten("k") == second)
            try store.removeAll()
            #expect(try store.forgotten("k") == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `removeAll forgets every job`(kind: StoreKind) throws {
        try kind.run { store in
            for index in 1...50 {
                try store.put(.sample("job-\(index)", Int64(index), .waiting) {
                    $0.labels = ["l": "1"]
                    $0.dependencies = ["d"]
                })
            }
            try store.commit()
            try store.removeAll()
            #expect(try store.list(JobFilter()).isEmpty)
            #expect(try store.counts().isEmpty)
            try store.rollback()
            #expect(try store.list(JobFilter(labels: ["l": "1"])).count == 50)
            #expect(try store.counts() == [JobCount(queue: "default", state: .waiting, count: 50)])
            try store.removeAll()
            try store.commit()
            try store.put(.sample("new", 1, .waiting))
            #expect(try store.list(JobFilter(labels: ["l": "1"])).isEmpty)
            #expect(try store.waiting(forDependency: "d").isEmpty)
            #expect(try store.list(JobFilter()).ids == ["new"])
        }
    }
}
