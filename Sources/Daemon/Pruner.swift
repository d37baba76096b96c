import CLinux
import Glibc
public import JobIndex
public import SpoolFormat

/// Forgets finished jobs when somebody asks for it, with or without a daemon.
///
/// What goes is chosen by the directories, not by the index, and leaves as the daemon lets it leave. A daemon that runs
/// brings its index up to date at its next sweep, which it is asked for; without one, this does.
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
        _ = try queues.refresh()
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
        let leaving = Leaving(spool) { trash.append($0) }
        if lock != nil { try leaving.recover() }
        let events = EventLog(spool.events)
        var gone: [JobID] = []
        for start in stride(from: 0, to: candidates.count, by: Self.batch) {
            var names: [String] = []
            for job in candidates[start..<min(start + Self.batch, candidates.count)] {
                guard let name = try leaving.leave(job.id, from: job.state) else { continue }
                names.append(name)
                gone.append(job.id)
                events.append("forgotten", job: job.id, ["queue": .string(job.queue)])
            }
            try leaving.putIntoArchive(names)
            try events.flush()
            try removeTrash(&trash)
            progress(gone.count)
        }
        try removeTrash(&trash)
        if lock == nil { askForSweep() } else { try removeFromIndex(gone) }
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
        for id in ids { try store.remove(id) }
        try store.commit()
    }

    /// By USR1, to the process that the lock names while the lock is held. It would end a daemon that has just begun
    /// and does not listen yet; that one looks at everything anyway.
    private func askForSweep() {
        guard let holder = (try? spool.daemon.read(SpoolLayout.Daemon.lock))??.bytes,
            let pid = Int32(String(decoding: holder.prefix { $0 != 0x0A }, as: UTF8.self)), pid > 1
        else { return }
        let process = rouse_pidfd_open(pid)
        guard process >= 0 else { return }
        defer { close(process) }
        guard Self.listens(pid), (try? DaemonLock(spool)) == nil else { return }
        _ = rouse_pidfd_send_signal(process, SIGUSR1)
    }

    /// Whether the process has USR1 blocked, ignored or caught, so that it does not end by it.
    private static func listens(_ pid: Int32) -> Bool {
        let file = rouse_open("/proc/\(pid)/status", O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
            count = max(0, read(file, buffer.baseAddress!, 8192))
        }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == "\t" })
            guard parts.count == 2, ["SigBlk", "SigIgn", "SigCgt"].contains(parts[0]) else { continue }
            if let mask = UInt64(parts[1], radix: 16), mask & 1 << (UInt64(SIGUSR1) - 1) != 0 { return true }
        }
        return false
    }
}
