import JobIndex
import SpoolFormat

/// Forgets finished jobs that have been kept long enough: one line in `archive/`, then they are gone.
final class Forgetting {
    private static let batch = 100

    private let ledger: Ledger
    private let queues: QueueBook
    private let leaving: Leaving
    /// Removes a tree below `.staging/` without holding anything up.
    var remove: (String) -> Void {
        get { leaving.remove }
        set { leaving.remove = newValue }
    }
    private var isDue = false

    init(ledger: Ledger, queues: QueueBook) {
        self.ledger = ledger
        self.queues = queues
        leaving = Leaving(ledger.spool)
    }

    var hasMore: Bool { isDue }
    func begin() { isDue = true }

    /// Forgets a batch of what is due.
    func work(now: Timestamp = .now) throws {
        guard isDue, !ledger.isIndexBehind else { return }
        var rows: [JobRow] = []
        for queue in Set(try ledger.store.counts().filter(\.state.isFinished).map(\.queue)).sorted() {
            let configuration = queues[queue]
            let age = configuration.keepTime ?? Defaults.keepTime
            let count = configuration.keepCount ?? Defaults.keepCount
            rows += try ledger.store.finished(in: queue, before: Timestamp(milliseconds: now.milliseconds - age.milliseconds), limit: Self.batch)
            if rows.count < Self.batch { rows += try ledger.store.finished(in: queue, beyondNewest: count, limit: Self.batch) }
            if rows.count >= Self.batch { break }
        }
        if rows.isEmpty { isDue = false }
        try forget(rows)
    }

    /// Forgets these finished jobs; any that is not finished by its directory is left alone.
    func forget(_ rows: [JobRow]) throws {
        var names: [String] = []
        for row in rows where row.state.isFinished {
            ledger.erase(row.id)
            guard let name = try leaving.leave(row.id, from: row.state) else { continue }
            names.append(name)
            ledger.events.append("forgotten", job: row.id, ["queue": .string(row.queue)])
        }
        try leaving.putIntoArchive(names)
    }

    /// Goes on with what was leaving when the daemon died.
    func recover() throws { try leaving.recover() }
}
