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
        do {
            guard let task = try job.readTask() else { return nil }
            let place = "\(state.rawValue)/\(id)/" + SpoolLayout.Job.task
            guard task.id == id else { throw Damage(place, "it is the task of the job \(task.id), not of \(id)") }
            return JobRow(
                task: task, state: state, waiting: state.isFinished ? nil : try ifWhole(job.readState),
                run: state == .running ? try ifWhole(job.readRun) : nil, result: state.isFinished ? try job.readResult() : nil)
        } catch let record as DamagedRecord {
            let name = record.path.split(separator: "/").last.map(String.init) ?? record.path
            throw Damage("\(state.rawValue)/\(id)/\(name)", record.reason)
        }
    }

    /// A power cut may have cut a record short that is written anew when the job goes on. The job is as whole as its
    /// `task.json`.
    private static func ifWhole<Record>(_ read: () throws -> Record?) throws -> Record? {
        do { return try read() } catch is DamagedRecord { return nil }
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

    /// Calls `body` for every job of `spool` in one of `states`, in no order. A job that changes its state meanwhile may be seen twice;
    /// what was seen later is right.
    ///
    /// - Parameter damaged: is told what can't be understood, and the walk goes on.
    public static func all(
        in spool: Directory, states: [JobState] = JobState.allCases, damaged: (JobID, JobState, Damage) throws -> Void,
        _ body: (JobRow) throws -> Void
    ) throws {
        for state in states {
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
}
