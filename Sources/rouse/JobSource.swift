import Glibc
import JobIndex
import SpoolFormat

/// The jobs of a spool, from its index, or from the files where there is no index or it can't be read.
final class JobSource {
    private let spool: SpoolDirectory
    private let index: JobReader?
    private lazy var files = Result { try Self.readFiles(spool) }

    init(_ spool: SpoolDirectory) {
        self.spool = spool
        do throws(IndexFault) {
            index = try JobReader(path: spool.path(SpoolLayout.index))
        } catch {
            index = nil
            // Without a daemon so far there is none, and that is well.
            if case .missing = error { return }
            Terminal.complain("\(error); the files are read instead")
        }
    }

    /// In the order of acceptance, whatever the filter says of the newest: that decides what a limit keeps.
    func list(_ filter: JobFilter) throws -> [JobRow] {
        if let index {
            let rows = try index.list(filter)
            return filter.newestFirst ? rows.reversed() : rows
        }
        let rows = try files.get().filter(filter.matches)
        guard let limit = filter.limit else { return rows }
        return Array(filter.newestFirst ? rows.suffix(limit) : rows.prefix(limit))
    }

    func counts() throws -> [JobCount] {
        if let index { return try index.counts() }
        var counts: [String: [JobState: Int]] = [:]
        for row in try files.get() { counts[row.queue, default: [:]][row.state, default: 0] += 1 }
        return counts.flatMap { queue, states in states.map { JobCount(queue: queue, state: $0.key, count: $0.value) } }
    }

    /// What was seen later of a job that moved meanwhile is right.
    private static func readFiles(_ spool: SpoolDirectory) throws -> [JobRow] {
        var rows: [JobID: JobRow] = [:]
        var progress = Progress("reading jobs")
        defer { progress.end() }
        try JobFiles.all(in: spool.root, damaged: { _, _, damage in Terminal.complain(damage.description) }) { row in
            rows[row.id] = row
            progress.show(rows.count)
        }
        return rows.values.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
    }
}

extension JobFilter {
    func matches(_ row: JobRow) -> Bool {
        states?.contains(row.state) ?? true
            && (queue == nil || queue == row.queue)
            && labels.allSatisfy { row.labels[$0.key] == $0.value }
            && (parent == nil || parent == row.parent)
            && (outcome == nil || outcome == row.outcome)
    }
}
