import CLinux
import Glibc
import SpoolFormat
import TestSupport

extension TestSpool {
    static let noon = Timestamp("2026-03-01T12:00:00.000Z")!

    /// Makes a job's directory as a daemon would have left it.
    @discardableResult func make(
        _ id: String, _ state: JobState = .queued, sequence: Int64 = 1, run: [String] = ["true"],
        _ options: TaskOptions = TaskOptions(), waiting: StateRecord? = nil, result: ResultRecord? = nil, log: String? = nil,
        attempt: Int? = nil
    ) -> String {
        let job = "\(path)/\(state.rawValue)/\(id)"
        precondition(mkdir(job, 0o700) == 0, "cannot make \(job)")
        let task = TaskRecord(
            id: JobID(id)!, sequence: sequence, verb: .run(run), queue: options.queue ?? "default", uid: geteuid(),
            acceptedAt: Self.noon, depth: 0, options: options)
        put(task.json, "\(job)/task.json")
        if let waiting { put(waiting.json, "\(job)/state.json") }
        if let result { put(result.json, "\(job)/result.json") }
        if let attempt { put(self.run(task, attempt: attempt).json, "\(job)/run.json") }
        if let log { write(log, to: "\(job)/log") }
        return job
    }

    func run(_ task: TaskRecord, attempt: Int) -> RunRecord {
        RunRecord(
            task: task, attempt: attempt, lost: 0, queueEnvironment: [:], spool: path,
            runner: ProcessIdentity(pid: 1, startTime: 1, bootID: "none"), at: Self.noon + .seconds(1))
    }

    func result(_ id: String, _ outcome: Outcome, exitCode: Int? = nil, signal: Int? = nil, error: ErrorRecord? = nil, attempts: Int = 1) -> ResultRecord {
        var result = ResultRecord(
            id: JobID(id)!, outcome: outcome, error: error, attempts: attempts, queuedAt: Self.noon,
            finishedAt: Self.noon + .seconds(5))
        result.exitCode = exitCode
        result.signal = signal
        result.startedAt = Self.noon + .seconds(1)
        result.durationMilliseconds = 4000
        return result
    }

    func put(_ json: JSON, _ path: String) {
        write(String(decoding: JSONWriter.write(json), as: UTF8.self), to: path)
    }

    /// Renames within the spool.
    func move(_ from: String, _ to: String) {
        precondition(rename("\(path)/\(from)", "\(path)/\(to)") == 0, "cannot rename \(from) to \(to): \(String(cString: strerror(errno)))")
    }

    func names(_ directory: String) -> [String] {
        (try? Directory("\(path)/\(directory)").entries().map(\.name.display).sorted()) ?? []
    }

    func object(_ name: String) -> JSON? { text(name).flatMap { try? JSONReader.read($0) } }
}

/// Holds the lock that a daemon would hold.
final class HeldLock {
    private let descriptor: Int32

    init(_ spool: TestSpool) {
        descriptor = rouse_open("\(spool.path)/daemon/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        precondition(rouse_lock_file(descriptor) == 0)
    }

    deinit { close(descriptor) }
}
