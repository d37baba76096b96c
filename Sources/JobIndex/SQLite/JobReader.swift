public import SpoolFormat

/// The index as the command line reads it, while the daemon writes it from another process.
///
/// It sees what was committed, each answer from one state of the index, and never changes anything. It holds nothing
/// between two questions, so it is never in the daemon's way. Not for use by several tasks at a time.
public final class JobReader {
    private let questions: Questions

    /// Opens the index at `path` to read it: `IndexFault.missing` where there is none.
    public init(path: String) throws(IndexFault) {
        questions = Questions(connection: try Connection.openForReading(path))
    }

    public func job(_ id: JobID) throws -> JobRow? { try questions.job(id) }
    public func list(_ filter: JobFilter) throws -> [JobRow] { try questions.list(filter) }
    public func select(_ selector: Selector, in states: Set<JobState>) throws -> [JobRow] {
        try questions.select(selector, in: states)
    }
    public func fact(_ name: String) throws -> String? { try questions.fact(name) }

    /// Jobs per queue and state. Counted anew: some 100 ms with a million jobs.
    public func counts() throws -> [JobCount] {
        var counted = StateCounts()
        try questions.counts { counted.add($0.count, queue: $0.queue, state: $0.state) }
        return counted.all
    }
}
