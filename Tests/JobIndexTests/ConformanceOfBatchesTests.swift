import SpoolFormat
import Testing

@testable import JobIndex

@Suite struct ConformanceOfBatchesTests {
    @Test(arguments: StoreKind.allCases)
    func `a rollback brings back rows, counts and facts`(kind: StoreKind) throws {
        try kind.run { store in
            let kept = JobRow.sample("kept", 1, .waiting) {
                $0.labels = ["l": "1"]
                $0.dependencies = ["d"]
            }
            let removed = JobRow.sample("removed", 2)
            try store.put(kept)
            try store.put(removed)
            try store.setFact("f", "1")
            try store.commit()
            let counts = try store.counts()

            var changed = kept
            changed.state = .running
            changed.labels = [:]
            try store.put(changed)
            try store.remove(removed.id)
            try store.put(.sample("new", 3, queue: "new"))
            try store.setFact("f", nil)
            #expect(try store.counts() == [
                JobCount(queue: "default", state: .running, count: 1), JobCount(queue: "new", state: .queued, count: 1),
            ])
            try store.rollback()

            #expect(try store.counts() == counts)
            #expect(try store.list(JobFilter()) == [kept, removed])
            #expect(try store.list(JobFilter(labels: ["l": "1"])) == [kept])
            #expect(try store.waiting(forDependency: "d") == [kept])
            #expect(try store.fact("f") == "1")
            #expect(try store.nextQueued(in: "new") == nil)

            // And the store goes on.
            try store.put(changed)
            try store.commit()
            try store.rollback()
            #expect(try store.job(kept.id) == changed)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `commit and rollback without a change do nothing, however often`(kind: StoreKind) throws {
        try kind.run { store in
            try store.commit()
            try store.rollback()
            try store.put(.sample("a", 1))
            try store.commit()
            try store.commit()
            try store.rollback()
            try store.rollback()
            #expect(try store.list(JobFilter()).ids == ["a"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `the jobs may change while they are gone through`(kind: StoreKind) throws {
        try kind.run { store in
            for index in 1...100 { try store.put(.sample("job-\(index)", Int64(index))) }
            try store.commit()
            var seen = 0
            try store.forEachState { id, _ in
                seen += 1
                guard var row = try store.job(id) else { return }
                row.state = .running
                try store.put(row)
                try store.commit()
            }
            #expect(seen == 100)
            #expect(try store.counts() == [JobCount(queue: "default", state: .running, count: 100)])
        }
    }
}
