public import SpoolFormat

/// A store that keeps everything in memory and answers by looking at every job: for tests, and as the measure of what
/// the other one should answer.
public final class MemoryJobStore: JobStore {
    private struct Entry {
        var row: JobRow
        /// Order of insertion, which decides where two jobs claim one place in the order of acceptance.
        var number: Int

        var turn: (Int, Int64, Int) { (-row.priority, row.sequence, number) }
    }

    private struct Contents {
        var entries: [JobID: Entry] = [:]
        var facts: [String: String] = [:]
        var nextNumber = 1
        var forgotten: [JobID: ForgottenJob] = [:]
    }

    private var contents = Contents()
    /// What was there at the last commit, while a batch is open.
    private var committed: Contents?

    public init() {}

    // MARK: Changes

    public func put(_ row: JobRow) {
        begin()
        if let number = contents.entries[row.id]?.number {
            contents.entries[row.id] = Entry(row: row, number: number)
        } else {
            contents.entries[row.id] = Entry(row: row, number: contents.nextNumber)
            contents.nextNumber += 1
        }
    }

    public func remove(_ id: JobID) {
        begin()
        contents.entries[id] = nil
    }

    public func setFact(_ name: String, _ value: String?) {
        begin()
        contents.facts[name] = value
    }

    public func removeAll() {
        begin()
        contents.entries = [:]
        contents.forgotten = [:]
    }

    public func remember(_ job: ForgottenJob) {
        begin()
        contents.forgotten[job.id] = job
    }

    public func dropForgotten(before time: Timestamp) {
        begin()
        contents.forgotten = contents.forgotten.filter { $0.value.finishedAt >= time }
    }

    public func close() {}

    public func commit() { committed = nil }

    public func rollback() {
        contents = committed ?? contents
        committed = nil
    }

    private func begin() { committed = committed ?? contents }

    // MARK: Questions

    public func job(_ id: JobID) -> JobRow? { contents.entries[id]?.row }

    public func queued(in queue: String, limit: Int) -> [JobRow] {
        let found = contents.entries.values.filter {
            $0.row.state == .queued && $0.row.runs && sameBytes($0.row.queue, queue)
        }
        return found.sorted { $0.turn < $1.turn }.prefix(limit).map(\.row)
    }

    public func counts() -> [JobCount] {
        var counted = StateCounts()
        for entry in contents.entries.values { counted.add(1, queue: entry.row.queue, state: entry.row.state) }
        return counted.all
    }

    public func unfinished(key: String) -> [JobRow] {
        jobs { !$0.state.isFinished && sameBytes($0.key, key) }
    }

    public func holder(ofKey key: String, before sequence: Int64) -> JobRow? {
        unfinished(key: key).last { $0.sequence < sequence }
    }

    public func latest(key: String) -> JobRow? { jobs { sameBytes($0.key, key) && $0.outcome != .superseded }.last }

    public func waiting(forDependency name: String) -> [JobRow] {
        jobs { $0.state == .waiting && $0.dependencies.contains { sameBytes($0, name) } }
    }

    public func nextWaiting(forKey key: String, after sequence: Int64) -> JobRow? {
        jobs { $0.state == .waiting && $0.reason == .key && sameBytes($0.key, key) && $0.sequence > sequence }.first
    }

    public func nextDue() -> Timestamp? { contents.entries.values.compactMap(\.row.dueAt).min() }

    public func due(at now: Timestamp, limit: Int) -> [JobRow] {
        first(limit, by: \.dueAt) { $0 <= now }
    }

    public func childCount(of parent: String) -> Int { jobs { sameBytes($0.parent, parent) }.count }

    public func select(_ selector: Selector, in states: Set<JobState>) -> [JobRow] {
        jobs { row in
            guard states.contains(row.state) else { return false }
            return switch selector {
            case .job(let id): sameBytes(row.id.text, id)
            case .queue(let queue): sameBytes(row.queue, queue)
            case .session(let name): sameBytes(row.queue, SessionName.queue(of: name))
            case .labels(let labels): !labels.isEmpty && row.carries(labels)
            }
        }
    }

    public func forEachState(_ body: (JobID, JobState) throws -> Void) rethrows {
        for entry in contents.entries.values { try body(entry.row.id, entry.row.state) }
    }

    public func highestSequence() -> Int64 { contents.entries.values.map(\.row.sequence).max() ?? 0 }

    public func finished(in queue: String?, before time: Timestamp, limit: Int) -> [JobRow] {
        first(limit, by: \.endedAt, in: queue) { $0 < time }
    }

    public func finished(in queue: String, beyondNewest count: Int, limit: Int) -> [JobRow] {
        let ended = first(.max, by: \.endedAt, in: queue) { _ in true }
        return Array(ended.dropLast(count).prefix(limit))
    }

    public func list(_ filter: JobFilter) -> [JobRow] {
        let found = jobs { row in
            filter.states?.contains(row.state) ?? true && filter.queue.map { sameBytes(row.queue, $0) } ?? true
                && filter.parent.map { sameBytes(row.parent, $0) } ?? true
                && filter.outcome.map { row.outcome == $0 } ?? true && row.carries(filter.labels)
        }
        return Array((filter.newestFirst ? found.reversed() : found).prefix(filter.limit ?? .max))
    }

    public func fact(_ name: String) -> String? { contents.facts[name] }

    public func forgotten(_ name: String) -> ForgottenJob? {
        JobID(name).flatMap { contents.forgotten[$0] }
            ?? contents.forgotten.values.filter { sameBytes($0.key, name) && $0.outcome != .superseded }
                .max { $0.finishedAt < $1.finishedAt }
    }

    // MARK: Looking at every job

    /// Jobs in the order of acceptance.
    private func jobs(where isWanted: (JobRow) -> Bool) -> [JobRow] {
        contents.entries.values.filter { isWanted($0.row) }
            .sorted { ($0.row.sequence, $0.number) < ($1.row.sequence, $1.number) }.map(\.row)
    }

    /// Jobs in the order of an instant that not all of them have.
    private func first(
        _ limit: Int, by instant: (JobRow) -> Timestamp?, in queue: String? = nil, where isWanted: (Timestamp) -> Bool
    ) -> [JobRow] {
        let found = contents.entries.values.compactMap { entry in
            instant(entry.row).flatMap { isWanted($0) ? ($0, entry.row.sequence, entry.number, entry.row) : nil }
        }
        .filter { queue == nil || sameBytes($0.3.queue, queue) }
        return found.sorted { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }.prefix(limit).map(\.3)
    }
}

extension JobRow {
    func carries(_ wanted: [String: String]) -> Bool {
        wanted.allSatisfy { name, value in labels.contains { sameBytes($0.key, name) && sameBytes($0.value, value) } }
    }
}
