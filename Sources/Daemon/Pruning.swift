import JobIndex
public import SpoolFormat

/// Forgets finished jobs at once, from outside the daemon. The files are enough: a daemon that runs takes the jobs for
/// gone at its next sweep, which USR1 brings about.
public enum Pruning {
    public struct Candidate: Sendable {
        public let id: JobID
        public let state: JobState
        public let queue: String
        public let finishedAt: Timestamp
    }

    /// The finished jobs of the spool at `path` that were finished before `time`, or are not among the newest `count`
    /// of their queue; longest finished first. `nil` sets no limit of that kind; with neither, none.
    public static func candidates(in path: String, before time: Timestamp?, keeping count: Int?) throws -> [Candidate] {
        let root = try Directory(path)
        var found: [Candidate] = []
        try JobFiles.all(in: root, damaged: { _, _, _ in }, { row in
            guard row.state.isFinished else { return }
            found.append(Candidate(id: row.id, state: row.state, queue: row.queue, finishedAt: row.finishedAt ?? row.acceptedAt))
        })
        found.sort { $0.finishedAt > $1.finishedAt }
        var kept: [String: Int] = [:]
        return found.filter { job in
            kept[job.queue, default: 0] += 1
            return time.map { job.finishedAt < $0 } ?? false || count.map { kept[job.queue]! > $0 } ?? false
        }.reversed()
    }

    /// - Parameter progress: is told after each batch how many jobs have gone.
    public static func forget(_ jobs: [Candidate], in path: String, progress: (Int) -> Void) throws {
        let spool = try Spool(path)
        let archiver = Archiver(spool: spool) { [staging = spool.staging] in try? staging.removeTree($0) }
        var gone = 0
        for start in stride(from: 0, to: jobs.count, by: 100) {
            let batch = jobs[start..<min(start + 100, jobs.count)]
            gone += try archiver.archive(batch.map { ($0.id, $0.state) }).count
            progress(gone)
        }
    }
}
