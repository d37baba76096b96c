import SpoolFormat
import Testing

@testable import JobIndex

/// Both stores through the same thousands of changes: after each, they must say the same.
@Suite struct RandomOperationsTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `both stores answer alike whatever happens`(seed: UInt64) throws {
        let place = try Place()
        let memory = MemoryJobStore()
        var sqlite = try SQLiteJobStore(path: place.index)
        var random = SeededGenerator(state: seed)

        for step in 1...2500 {
            func both(_ change: (any JobStore) throws -> Void) throws {
                try change(memory)
                try change(sqlite)
            }
            switch Int.random(in: 0..<1000, using: &random) {
            case 0..<700:
                let row = Self.row(&random)
                try both { try $0.put(row) }
            case 700..<850:
                let id = JobID("job-\(Int.random(in: 0..<40, using: &random))")!
                try both { try $0.remove(id) }
            case 850..<930: try both { try $0.commit() }
            case 930..<980: try both { try $0.rollback() }
            case 980..<990:
                let value = random.happens(30) ? nil : "\(step)"
                try both { try $0.setFact("fact", value) }
            case 990..<993: try both { try $0.removeAll() }
            default:
                // What was not committed is gone with the store.
                memory.rollback()
                sqlite = try SQLiteJobStore(path: place.index)
            }
            let question = random.next()
            var first = SeededGenerator(state: question)
            var second = first
            let expected = try Self.answer(memory, &first)
            let found = try Self.answer(sqlite, &second)
            try #require(found == expected, "seed \(seed), step \(step)")
            try #require(try sqlite.counts() == memory.counts(), "seed \(seed), step \(step)")
        }
        try sqlite.commit()
        #expect(try JobReader(path: place.index).counts() == sqlite.counts())
    }

    static let queues = ["default", "lint", "q"]
    static let names = ["a", "b", "é", "e\u{301}"]

    static func row(_ random: inout SeededGenerator) -> JobRow {
        let number = Int.random(in: 0..<40, using: &random)
        var row = JobRow.sample(
            "job-\(number)", random.happens(90) ? Int64(number) : Int64.random(in: 0..<40, using: &random),
            random.pick(JobState.allCases), queue: random.pick(queues))
        row.priority = random.pick([-50, 0, 0, 50])
        row.verb = random.happens(80) ? "run" : "cancel"
        row.key = random.happens(40) ? random.pick(names) : nil
        row.parent = random.happens(20) ? random.pick(names) : nil
        for _ in 0..<random.pick([0, 0, 1, 2]) { row.labels[random.pick(names)] = random.pick(names) }
        for _ in 0..<random.pick([0, 0, 1, 3]) { row.dependencies.append(random.pick(names)) }
        row.reason = random.happens(50) ? random.pick(StateRecord.Reason.allCases) : nil
        row.until = random.happens(40) ? .second(Int64.random(in: 0..<20, using: &random)) : nil
        row.expiresAt = random.happens(30) ? .second(Int64.random(in: 0..<20, using: &random)) : nil
        row.finishedAt = random.happens(70) ? .second(Int64.random(in: 0..<20, using: &random)) : nil
        row.outcome = random.happens(70) ? random.pick(Outcome.allCases) : nil
        row.attempts = Int.random(in: 0..<3, using: &random)
        return row
    }

    /// One question, the same for the same random numbers.
    static func answer(_ store: any JobStore, _ random: inout SeededGenerator) throws -> [JobRow] {
        let queue = random.pick(queues)
        let name = random.pick(names)
        let states = Set(JobState.allCases.filter { _ in random.happens(50) })
        let limit = random.pick([0, 1, 3, 100])
        let time = Timestamp.second(Int64.random(in: 0..<25, using: &random))
        switch Int.random(in: 0..<14, using: &random) {
        case 0: return try [store.nextQueued(in: queue)].compactMap(\.self)
        case 1: return try store.unfinished(key: name)
        case 2: return try [store.latest(key: name)].compactMap(\.self)
        case 3: return try store.waiting(forDependency: name)
        case 4:
            let sequence = Int64.random(in: -1..<25, using: &random)
            return try [store.nextWaiting(forKey: name, after: sequence), store.holder(ofKey: name, before: sequence)].compactMap(\.self)
        case 5: return try store.nextDue().map { [.sample("due-\($0.milliseconds)", $0.milliseconds)] } ?? []
        case 6: return try store.due(at: time, limit: limit)
        case 7: return try [.sample("count", Int64(store.childCount(of: name))), .sample("seq", store.highestSequence())]
        case 8: return try store.select(random.pick([.queue(queue), .labels([name: "a"]), .job("job-7")]), in: states)
        case 9: return try store.finished(in: random.happens(50) ? queue : nil, before: time, limit: limit)
        case 10: return try store.finished(in: queue, beyondNewest: Int.random(in: 0..<5, using: &random), limit: limit)
        case 11: return try [.sample("fact-" + (store.fact("fact") ?? "none"), 0)]
        default:
            var filter = JobFilter(newestFirst: random.happens(50))
            if random.happens(60) { filter.states = states }
            if random.happens(40) { filter.queue = queue }
            if random.happens(20) { filter.labels = [name: random.pick(names)] }
            if random.happens(20) { filter.parent = name }
            if random.happens(20) { filter.outcome = random.pick(Outcome.allCases) }
            if random.happens(40) { filter.limit = limit }
            return try store.list(filter)
        }
    }
}
