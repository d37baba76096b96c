import JobIndex
import SpoolFormat

/// Forgets finished jobs that have been kept long enough, a batch a round.
final class Forgetting {
    private static let batch = 100

    private let ledger: Ledger
    private let queues: QueueBook
    private let archiver: Archiver
    private var isDue = false
    /// What could not leave is left until everything that failed is tried again.
    private var hasFailed = false
    /// When it was last looked which outcomes need not be remembered any more: once a day is enough.
    private var droppedOn = ""

    init(ledger: Ledger, queues: QueueBook, archiver: Archiver) {
        self.ledger = ledger
        self.queues = queues
        self.archiver = archiver
    }

    var hasMore: Bool { isDue }
    func begin() { isDue = true }

    /// Goes on with what was leaving, and with what could not leave.
    func recover() throws {
        if hasFailed { isDue = true }
        hasFailed = false
        try archiver.recover()
    }

    func work(now: Timestamp = .now) throws {
        guard isDue, !ledger.isIndexBehind else { return }
        let rows = try due(now)
        guard !rows.isEmpty else {
            isDue = false
            if now.day != droppedOn {
                droppedOn = now.day
                ledger.dropForgotten(before: Timestamp(milliseconds: now.milliseconds - Defaults.rememberTime.milliseconds))
            }
            return
        }
        var failure: (any Error)?
        do { _ = try archiver.archive(rows.map { ($0.id, $0.state) }) } catch { failure = error }
        let gone = rows.filter { !ledger.spool.directory(of: $0.state).contains($0.id.text) }
        for row in gone {
            ledger.erase(row.id)
            ledger.remember(row)
            ledger.events.append("forgotten", job: row.id, ["queue": .string(row.queue)])
        }
        if failure != nil || gone.isEmpty { (isDue, hasFailed) = (false, true) }
        if let failure { throw failure }
    }

    private func due(_ now: Timestamp) throws -> [JobRow] {
        var rows: [JobRow] = []
        for queue in Set(try ledger.store.counts().filter(\.state.isFinished).map(\.queue)).sorted() {
            let age = queues[queue].keepTime ?? Defaults.keepTime
            let count = queues[queue].keepCount ?? Defaults.keepCount
            let before = Timestamp(milliseconds: now.milliseconds - age.milliseconds)
            rows += try ledger.store.finished(in: queue, before: before, limit: Self.batch)
            if rows.isEmpty { rows += try ledger.store.finished(in: queue, beyondNewest: count, limit: Self.batch) }
            if !rows.isEmpty { return rows }
        }
        return rows
    }
}
