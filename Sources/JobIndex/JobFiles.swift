import Glibc
public import SpoolFormat

/// Jobs as their files describe them: what the index is built from, and what answers where there is none.
public enum JobFiles {
    /// Why a directory in a state's directory is no job that can be understood.
    public struct Damage: Error, Sendable, Equatable, CustomStringConvertible {
        /// Within the spool: `queued/lint-42/task.json`.
        public let file: String
        public let message: String

        public init(_ file: String, _ message: String) {
            self.file = file
            self.message = message
        }

        public var description: String { "\(file): \(message)" }
    }

    /// The row of the job whose directory is `job`. `nil` where it holds no `task.json`: it was never accepted, or it
    /// is gone meanwhile.
    ///
    /// A record that belongs to another state is left aside: `run.json` is the intent until the job is in `running/`,
    /// and a `result.json` counts only where the job is finished.
    /// - Throws: `Damage` where a record is not what it should be, `SystemFault` where it can't be read.
    public static func row(in job: Directory, id: JobID, state: JobState) throws -> JobRow? {
        let place = "\(state.rawValue)/\(id)/"
        guard let accepted = try record(SpoolLayout.Job.task, in: job, at: place) else { return nil }
        let task: TaskRecord
        do { task = try TaskRecord.read(accepted) } catch { throw Damage(place + SpoolLayout.Job.task, error.message) }
        guard task.id == id else {
            throw Damage(place + SpoolLayout.Job.task, "it is the task of the job \(task.id), not of \(id)")
        }
        var waiting: StateRecord?
        var run: RunRecord?
        var result: ResultRecord?
        if state.isFinished {
            if let value = try record(SpoolLayout.Job.result, in: job, at: place) {
                result = ResultRecord(value)
                guard result != nil else { throw Damage(place + SpoolLayout.Job.result, "it is no result") }
            }
        } else {
            waiting = try record(SpoolLayout.Job.state, in: job, at: place).flatMap(StateRecord.init)
        }
        if state == .running, let intent = try record(SpoolLayout.Job.run, in: job, at: place) {
            do { run = try RunRecord.read(intent) } catch { throw Damage(place + SpoolLayout.Job.run, error.message) }
        }
        return JobRow(task: task, state: state, waiting: waiting, run: run, result: result)
    }

    /// The row of the job `id`, wherever in `spool` it is; `nil` where there is none.
    public static func row(of id: JobID, in spool: Directory) throws -> JobRow? {
        // A job that changes its state between two looks is found at the second try.
        for _ in 0..<3 {
            for state in JobState.allCases {
                guard let job = try directory(of: id, in: state, of: spool) else { continue }
                if let row = try row(in: job, id: id, state: state) { return row }
            }
        }
        return nil
    }

    /// Calls `body` for every job of `spool`, in no order. A job that changes its state meanwhile may be seen twice;
    /// what was seen later is right.
    ///
    /// - Parameter damaged: is told what can't be understood, and the walk goes on.
    public static func all(
        in spool: Directory, damaged: (JobID, JobState, Damage) throws -> Void, _ body: (JobRow) throws -> Void
    ) throws {
        for state in JobState.allCases {
            guard let jobs = try open(state.rawValue, in: spool) else { continue }
            for id in try jobs.jobIDs() {
                switch try look(id, state, in: jobs) {
                case .success(let row?): try body(row)
                case .success(nil): break
                case .failure(let damage): try damaged(id, state, damage)
                }
            }
        }
    }

    /// One job's files can be damaged and the others sound; but out of descriptors or memory none can be read.
    private static func look(_ id: JobID, _ state: JobState, in jobs: Directory) throws -> Result<JobRow?, Damage> {
        do {
            return .success(try open(id.text, in: jobs).flatMap { try row(in: $0, id: id, state: state) })
        } catch let damage as Damage {
            return .failure(damage)
        } catch let fault as SystemFault where fault.errno == EACCES || fault.errno == EIO || fault.errno == EUCLEAN {
            return .failure(Damage("\(state.rawValue)/\(id)", fault.reason))
        }
    }

    /// The directory of the job `id` if it is in `state`.
    public static func directory(of id: JobID, in state: JobState, of spool: Directory) throws -> Directory? {
        guard let jobs = try open(state.rawValue, in: spool) else { return nil }
        return try open(id.text, in: jobs)
    }

    private static func open(_ name: String, in parent: Directory) throws -> Directory? {
        do {
            return try parent.directory(name)
        } catch {
            // No directory of that name, or something else that has it: a file, a symbolic link.
            if error.isMissing || error.errno == ENOTDIR || error.errno == ELOOP { return nil }
            throw error
        }
    }

    private static func record(_ name: String, in job: Directory, at place: String) throws -> JSON? {
        guard let (bytes, status) = try job.read(name) else { return nil }
        guard status.kind == .file else { throw Damage(place + name, "it is \(status.kind.words)") }
        do {
            return try JSONReader.read(bytes)
        } catch {
            throw Damage(
                place + name,
                "expected \(error.expected) at line \(error.position.line), column \(error.position.column)")
        }
    }
}
