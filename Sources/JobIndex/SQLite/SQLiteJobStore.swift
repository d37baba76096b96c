/// The index in `index.sqlite`.
///
/// The first change of a batch opens a transaction, `commit` ends it. A commit is a write to the write-ahead log and
/// waits for no disk: it outlives the daemon, and a power cut once `IndexSync` says so. Not for use by several tasks
/// at a time.
public final class SQLiteJobStore: JobStore {
    public let path: String
    let connection: Connection
    let questions: Questions
    var counted = StateCounts()
    private var batch = Batch.none

    private enum Batch { case none, open, broken }

    /// Opens the index at `path`, or makes it. `IndexFault.damaged` asks for `setAside` and a new one,
    /// `IndexFault.newer` for a person.
    public init(path: String) throws(IndexFault) {
        self.path = path
        let connection = try Connection.open(path)
        let questions = Questions(connection: connection)
        self.connection = connection
        self.questions = questions
        counted = try Connection.faults(of: path) {
            var counted = StateCounts()
            try questions.counts { counted.add($0.count, queue: $0.queue, state: $0.state) }
            return counted
        }
    }

    // MARK: Batches

    /// Makes a change in the batch, which begins with it where there is none. A change that failed may be half made:
    /// nothing but `rollback` is possible after it.
    func change<Value>(_ body: () throws -> Value) throws -> Value {
        switch batch {
        case .none:
            try connection.execute(.begin)
            counted.begin()
            batch = .open
        case .open: break
        case .broken: throw IndexFault.brokenBatch(path: path)
        }
        do {
            return try body()
        } catch {
            batch = .broken
            throw error
        }
    }

    public func close() throws {
        if batch != .none { try rollback() }
        try connection.close()
    }

    public func commit() throws {
        switch batch {
        case .none: return
        case .broken: throw IndexFault.brokenBatch(path: path)
        case .open: break
        }
        do {
            try connection.execute(.commit)
        } catch {
            batch = .broken
            throw error
        }
        counted.commit()
        batch = .none
    }

    public func rollback() throws {
        guard batch != .none else { return }
        if connection.isInTransaction { try connection.execute(.rollback) }
        counted.rollBack()
        batch = .none
    }
}
