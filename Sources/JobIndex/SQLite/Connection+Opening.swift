import CLinux
import GRDB
import GRDBSQLite
import Glibc
import SpoolFormat

extension Connection {
    /// Frames of 4 KiB after which a commit copies the log into the database: 16 MiB, every few thousand jobs.
    ///
    /// That commit syncs twice and takes some 10 to 40 ms instead of 0.1. With SQLite's own 1,000 frames this happens
    /// four times as often, and the commits of a busy daemon take half as long again in sum. A second connection that
    /// copies in the background was measured too and gained nothing: the log is a few times longer, and the appends
    /// wait for the same disk. A log that was longer once, behind a reader that took its time, is cut to this length.
    static let longestLog = 4096

    /// Opens the index for writing, makes it where there is none, and brings its schema up to date.
    static func open(_ path: String) throws(IndexFault) -> Connection {
        try makePrivate(path)
        return try faults(of: path) {
            var configuration = Configuration()
            configuration.journalMode = .wal
            configuration.busyMode = .timeout(5)
            // A batch stays open between two calls.
            configuration.allowsUnsafeTransactions = true
            configuration.prepareDatabase { database in
                try database.execute(
                    sql: """
                        PRAGMA wal_autocheckpoint = \(longestLog);
                        PRAGMA journal_size_limit = \(longestLog * 4096)
                        """)
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inDatabase { try check($0, path: path) }
            try Schema.migrator.migrate(queue)
            return Connection(path: path, queue: queue)
        }
    }

    /// Opens an index that another process may be writing, to read it.
    static func openForReading(_ path: String) throws(IndexFault) -> Connection {
        guard access(path, F_OK) == 0 else { throw .missing(path: path) }
        return try faults(of: path) {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            configuration.allowsUnsafeTransactions = true
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA query_only = 1") }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inDatabase { database in
                try check(database, path: path)
                guard try Schema.migrator.hasCompletedMigrations(database) else { throw IndexFault.older(path: path) }
            }
            return Connection(path: path, queue: queue)
        }
    }

    private static func check(_ database: Database, path: String) throws {
        let application = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        guard application != Schema.applicationID else {
            guard try !Schema.migrator.hasBeenSuperseded(database) else { throw IndexFault.newer(path: path) }
            return
        }
        // A file that was being made when the daemon died has the migrator's own tables at most.
        let tables = try Int.fetchOne(
            database, sql: "SELECT count(*) FROM sqlite_master WHERE tbl_name NOT LIKE 'grdb%'")
        guard application == 0, tables == 0 else {
            throw IndexFault.damaged(path: path, reason: "it is another program's database")
        }
    }

    /// The index tells what was run and with which arguments: only its owner may read it. SQLite gives the files
    /// beside it the same mode.
    private static func makePrivate(_ path: String) throws(IndexFault) {
        // Only a file that is new is opened here: closing a descriptor of a database that this process has open
        // would drop the locks that SQLite holds on it.
        let file = rouse_open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        if file >= 0 {
            Glibc.close(file)
        } else if errno != EEXIST || chmod(path, 0o600) != 0 {
            throw .failed(path: path, code: SQLITE_CANTOPEN, reason: SystemFault("open", path).reason)
        }
    }
}
