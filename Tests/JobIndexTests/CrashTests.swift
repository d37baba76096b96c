import Foundation
import SpoolFormat
import Testing

@testable import JobIndex

/// What is left when the daemon dies: copies of its files in the middle of a batch are what a killed process leaves.
@Suite struct CrashTests {
    private let place: Place
    private let wreck: Place

    init() throws {
        place = try Place()
        wreck = try Place()
    }

    /// Copies the files as they are now. The image of the log in memory is of no use to another process.
    private func crash() throws {
        for suffix in ["", "-wal"] {
            try? FileManager.default.removeItem(atPath: wreck.index + suffix)
            try FileManager.default.copyItem(atPath: place.index + suffix, toPath: wreck.index + suffix)
        }
    }

    @Test func `a crash in a batch leaves the last commit`() throws {
        let store = try SQLiteJobStore(path: place.index)
        for index in 1...500 { try store.put(.sample("job-\(index)", Int64(index), .waiting) { $0.dependencies = ["d"] }) }
        try store.commit()
        let committed = try store.list(JobFilter())
        // Large enough to spill from the page cache into the log before its commit.
        for index in 1...3000 {
            try store.put(.sample("job-\(index)", Int64(index), .running) { $0.task = String(repeating: "t", count: 2000) })
        }
        try store.setFact("f", "v")
        try crash()
        let survivor = try SQLiteJobStore(path: wreck.index)
        #expect(try survivor.list(JobFilter()) == committed)
        #expect(try survivor.waiting(forDependency: "d").count == 500)
        #expect(try survivor.counts() == [JobCount(queue: "default", state: .waiting, count: 500)])
        #expect(try survivor.fact("f") == nil)
    }

    @Test func `a log that a power cut has torn leaves a whole commit, never half of one`() throws {
        let store = try SQLiteJobStore(path: place.index)
        for batch in 1...20 {
            for index in 1...10 { try store.put(.sample("job-\(batch)-\(index)", Int64(batch * 100 + index))) }
            try store.commit()
        }
        let log = try Data(contentsOf: URL(fileURLWithPath: place.index + "-wal"))
        var random = SeededGenerator(state: 5)
        var counts: Set<Int> = []
        for _ in 1...25 {
            try crash()
            var torn = log.prefix(Int.random(in: 0..<log.count, using: &random))
            // A page that never reached the disk may be zeros in the middle as well.
            if torn.count > 10_000, random.happens(50) {
                let hole = Int.random(in: 4096..<(torn.count - 4096), using: &random)
                torn.replaceSubrange(hole..<(hole + 4096), with: Data(count: 4096))
            }
            try torn.write(to: URL(fileURLWithPath: wreck.index + "-wal"))
            // Even the schema is in the log here, so that a short log leaves an index that is made anew.
            let survivor = try SQLiteJobStore(path: wreck.index)
            counts.insert(try survivor.list(JobFilter()).count)
            try? FileManager.default.removeItem(atPath: wreck.index + "-shm")
        }
        #expect(counts.count > 5 && counts.allSatisfy { $0 % 10 == 0 }, "\(counts)")
    }
}
