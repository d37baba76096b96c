import CLinux
import Glibc
public import JobIndex
public import SpoolFormat

/// Forgets finished jobs when somebody asks for it, with or without a daemon.
///
/// What goes is chosen by the directories, not by the index, and leaves as the daemon lets it leave. A daemon that runs
/// takes the jobs for gone at its next sweep, which USR1 brings about; without one, the index is brought up to date here.
public struct Pruner {
    /// What is to go: jobs that were finished longer ago than `age`, and of each queue all but the newest `count`. Where
    /// neither is given, the queue's configuration decides, as it does for the daemon.
    public struct Rule: Sendable {
        public var age: TimeSpan?
        public var count: Int?

        public init(age: TimeSpan? = nil, count: Int? = nil) {
            self.age = age
            self.count = count
        }
    }

    /// A finished job that is to be forgotten.
    public struct Candidate: Sendable {
        public let id: JobID
        public let state: JobState
        public let queue: String
        public let finishedAt: Timestamp
    }

    private static let batch = 100

    private let spool: Spool
    private let queues: QueueBook
    /// Held where no daemon holds it, so that none starts meanwhile.
    private let lock: DaemonLock?

    public init(spool path: String) throws {
        spool = try Spool(path)
        queues = QueueBook(spool)
        try queues.refresh { _ in }
        lock = try Self.takeLock(spool)
    }

    private static func takeLock(_ spool: Spool) throws -> DaemonLock? {
        do { return try DaemonLock(spool) } catch where error.exitCode == 75 { return nil }
    }

    /// The jobs that `rule` lets go, longest finished first.
    /// - Parameter damaged: is told of jobs that can't be understood; they stay.
    public func candidates(
        _ rule: Rule, now: Timestamp = .now, damaged: (JobFiles.Damage) -> Void, progress: (Int) -> Void
    ) throws -> [Candidate] {
        var byQueue: [String: [Candidate]] = [:]
        var count = 0
        try JobFiles.all(in: spool.root, states: [.done, .failed], damaged: { _, _, damage in damaged(damage) }) { row in
            count += 1
            progress(count)
            // A result that is missing is the daemon's to write.
            guard let finishedAt = row.finishedAt else { return }
            byQueue[row.queue, default: []].append(
                Candidate(id: row.id, state: row.state, queue: row.queue, finishedAt: finishedAt))
        }
        var leaving: [Candidate] = []
        for (queue, jobs) in byQueue {
            let (age, most) = limits(rule, of: queue)
            let newestFirst = jobs.sorted { ($1.finishedAt, $1.id) < ($0.finishedAt, $0.id) }
            for (index, job) in newestFirst.enumerated() {
                let isOld = age.map { job.finishedAt.milliseconds <= now.milliseconds - $0.milliseconds } ?? false
                if isOld || most.map({ index >= $0 }) ?? false { leaving.append(job) }
            }
        }
        return leaving.sorted { ($0.finishedAt, $0.id) < ($1.finishedAt, $1.id) }
    }

    private func limits(_ rule: Rule, of queue: String) -> (TimeSpan?, Int?) {
        if rule.age != nil || rule.count != nil { return (rule.age, rule.count) }
        return (queues[queue].keepTime ?? Defaults.keepTime, queues[queue].keepCount ?? Defaults.keepCount)
    }

    /// Forgets these jobs.
    /// - Returns: how many there were; one that was retried or forgotten meanwhile is not among them.
    public func forget(_ candidates: [Candidate], progress: (Int) -> Void) throws -> Int {
        var trash: [String] = []
        let archiver = Archiver(spool: spool) { trash.append($0) }
        if lock != nil { try archiver.recover() }
        let events = EventLog(spool)
        var gone: [JobID] = []
        for start in stride(from: 0, to: candidates.count, by: Self.batch) {
            let batch = candidates[start..<min(start + Self.batch, candidates.count)]
            let left = try archiver.archive(batch.map { ($0.id, $0.state) })
            for id in left { events.append("forgotten", job: id) }
            gone += left
            try events.flush()
            try removeTrash(&trash)
            progress(gone.count)
        }
        try removeTrash(&trash)
        if lock != nil { try removeFromIndex(gone) }
        return gone.count
    }

    private func removeTrash(_ names: inout [String]) throws(SystemFault) {
        for name in names { try spool.staging.removeTree(name) }
        names = []
    }

    private func removeFromIndex(_ ids: [JobID]) throws {
        let path = spool.path + "/" + SpoolLayout.index
        guard !ids.isEmpty, access(path, F_OK) == 0 else { return }
        let store = try SQLiteJobStore(path: path)
        for id in ids {
            if let job = try store.job(id).flatMap(ForgottenJob.init) { try store.remember(job) }
            try store.remove(id)
        }
        try store.commit()
    }
}
