import GRDB
import GRDBSQLite

/// One connection to `index.sqlite`, used by one task at a time.
///
/// GRDB opens it, sets it up, migrates it and prepares its statements; all else goes to SQLite directly. A queue and
/// not a pool: every question of the daemon is to see its own uncommitted changes, so a pool's readers would never be
/// asked.
final class Connection {
    let path: String
    private let queue: DatabaseQueue
    private let handle: OpaquePointer
    private var queries: [Query?] = Array(repeating: nil, count: SQL.allCases.count)

    init(path: String, queue: DatabaseQueue) {
        self.path = path
        self.queue = queue
        handle = queue.unsafeReentrantWrite { $0.sqliteConnection! }
        // GRDB watches the ends of transactions for observers, and insists on its queue for that. There are none here.
        sqlite3_commit_hook(handle, nil, nil)
        sqlite3_rollback_hook(handle, nil, nil)
    }

    deinit {
        // A connection closes completely only when its statements are gone.
        queries.removeAll()
    }

    /// Closes the connection; SQLite then takes over the log into the database and removes it.
    func close() throws {
        // A connection closes completely only when its statements are gone.
        for index in queries.indices { queries[index] = nil }
        try queue.close()
    }

    // MARK: Statements

    /// Runs a statement that gives no rows.
    func execute(_ sql: SQL, _ bind: (Query) -> Void = { _ in }) throws(IndexFault) {
        let query = try query(sql)
        defer { query.reset() }
        bind(query)
        if let code = query.step(), code != SQLITE_DONE { throw fault(code) }
    }

    func first<Value>(_ sql: SQL, _ bind: (Query) -> Void = { _ in }, _ read: (Query) throws -> Value?) throws -> Value? {
        var value: Value?
        try each(sql, bind) {
            value = try read($0)
            return false
        }
        return value
    }

    func all<Value>(_ sql: SQL, _ bind: (Query) -> Void = { _ in }, _ read: (Query) throws -> Value) throws -> [Value] {
        var values: [Value] = []
        try each(sql, bind) {
            values.append(try read($0))
            return true
        }
        return values
    }

    /// Calls `body` for each row until it gives `false`.
    func each(_ sql: SQL, _ bind: (Query) -> Void, _ body: (Query) throws -> Bool) throws {
        let query = try query(sql)
        try each(query, bind, body)
    }

    /// The same for a statement that is made for one question.
    func each(text: String, _ bind: (Query) -> Void, _ body: (Query) throws -> Bool) throws {
        let query = try prepare(text)
        try each(query, bind, body)
    }

    private func each(_ query: Query, _ bind: (Query) -> Void, _ body: (Query) throws -> Bool) throws {
        // What a statement holds, locks above all, is let go as soon as its rows are read.
        defer { query.reset() }
        bind(query)
        while true {
            if let code = query.step() {
                guard code == SQLITE_DONE else { throw fault(code) }
                return
            }
            guard try body(query) else { return }
        }
    }

    private func query(_ sql: SQL) throws(IndexFault) -> Query {
        if let query = queries[sql.rawValue] { return query }
        let query = try prepare(sql.text)
        queries[sql.rawValue] = query
        return query
    }

    private func prepare(_ text: String) throws(IndexFault) -> Query {
        try Self.faults(of: path) {
            try queue.unsafeReentrantWrite { Query(try $0.makeStatement(sql: text)) }
        }
    }

    var lastNumber: Int64 { sqlite3_last_insert_rowid(handle) }
    /// Whether SQLite has a transaction open. It ends one by itself when the disk is full, among others.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// What belongs together is read from one state of the index, whatever another process commits meanwhile.
    func consistently<Value>(_ body: () throws -> Value) throws -> Value {
        guard !isInTransaction else { return try body() }
        try execute(.beginReading)
        defer { try? execute(.commit) }
        return try body()
    }

    // MARK: Faults

    private func fault(_ code: Int32) -> IndexFault {
        Self.fault(code, String(cString: sqlite3_errmsg(handle)), path: path)
    }

    /// The row that `query` stands on.
    func row(_ query: Query) throws(IndexFault) -> JobRow {
        guard let row = JobColumns.read(query) else { throw .damaged(path: path, reason: "a row is none of a job") }
        return row
    }

    static func fault(_ code: Int32, _ reason: String, path: String) -> IndexFault {
        switch code & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged(path: path, reason: reason)
        default: .failed(path: path, code: code, reason: reason)
        }
    }

    static func faults<Value>(of path: String, _ body: () throws -> Value) throws(IndexFault) -> Value {
        do {
            return try body()
        } catch let error as IndexFault {
            throw error
        } catch let error as DatabaseError {
            throw fault(error.extendedResultCode.rawValue, error.message ?? "\(error)", path: path)
        } catch {
            throw .failed(path: path, code: SQLITE_ERROR, reason: "\(error)")
        }
    }
}
