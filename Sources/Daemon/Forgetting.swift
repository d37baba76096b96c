import JobIndex
import SpoolFormat

/// Forgets finished jobs that have been kept long enough: one line in `archive/`, then they are gone.
///
/// A job leaves by `done/x` → `.staging/forget@x` → line in the archive → `.staging/trash@x` → removed. The name says
/// how far it got, so after a crash its line is neither missing nor there twice. `@` is in no job's id.
final class Forgetting {
    static let marker = "forget@"
    static let trash = "trash@"
    private static let batch = 100

    static func isOurs(_ name: String) -> Bool { name.hasPrefix(marker) || name.hasPrefix(trash) }

    private let ledger: Ledger
    private let queues: QueueBook
    private let archive: ArchiveLog
    /// Removes a tree below `.staging/` without holding anything up.
    var remove: (String) -> Void = { _ in }
    private var isDue = false

    init(ledger: Ledger, queues: QueueBook) {
        self.ledger = ledger
        self.queues = queues
        archive = ArchiveLog(ledger.spool.archive)
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
        var leaving: [(JobRow, String)] = []
        for row in rows where row.state.isFinished {
            let name = Self.marker + row.id.text
            ledger.erase(row.id)
            guard try leave(row, as: name) else { continue }
            leaving.append((row, name))
            ledger.events.append("forgotten", job: row.id, ["queue": .string(row.queue)])
        }
        try putIntoArchive(leaving.map(\.1))
    }

    /// - Returns: `false` where somebody was quicker.
    private func leave(_ row: JobRow, as name: String) throws(SystemFault) -> Bool {
        do throws(SystemFault) {
            try ledger.spool.directory(of: row.state).rename(row.id.text, to: ledger.spool.staging, as: name)
            return true
        } catch {
            if error.isMissing || error.exists { return false }
            throw error
        }
    }

    /// Goes on with what was leaving when the daemon died.
    func recover() throws {
        let names = try ledger.spool.staging.entries().map(\.name.display)
        let leaving = names.filter { $0.hasPrefix(Self.marker) }
        let known = try leaving.isEmpty ? [] : archive.recentIDs()
        try putIntoArchive(leaving.filter { !known.contains(String($0.dropFirst(Self.marker.count))) })
        for name in leaving where known.contains(String(name.dropFirst(Self.marker.count))) { try discard(name) }
        for name in names where name.hasPrefix(Self.trash) { remove(name) }
    }

    private func putIntoArchive(_ names: [String]) throws {
        guard !names.isEmpty else { return }
        var lines: [JSON] = []
        for name in names {
            let job = try ledger.spool.staging.directory(name)
            var line = JSONObject()
            for member in (try? job.readJSON(SpoolLayout.Job.result))?.object?.members ?? [] { line[member.name] = member.value }
            line["id"] = line["id"] ?? .string(String(name.dropFirst(Self.marker.count)))
            line["log"] = nil
            line["task"] = (try? job.readJSON(SpoolLayout.Job.task)) ?? nil
            lines.append(.object(line))
        }
        try archive.append(lines)
        for name in names { try discard(name) }
    }

    private func discard(_ name: String) throws {
        let trash = Self.trash + name.dropFirst(Self.marker.count)
        let staging = ledger.spool.staging
        if staging.contains(trash) { try staging.removeTree(trash) }
        try staging.rename(name, to: staging, as: trash)
        remove(trash)
    }
}
