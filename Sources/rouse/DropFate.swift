import SpoolFormat

/// What became of a file that was dropped.
enum DropFate {
    /// In the inbox, or being looked at.
    case pending
    /// The reason follows the file.
    case rejected(String, JSON?)
    case accepted(JobID)
    /// A verb that was accepted, and is being acted on.
    case acting(JobID)
    case acted(JobID, JobState, ResultRecord?)
    /// It can't be told.
    case unknown

    var isOpen: Bool {
        switch self {
        case .pending, .acting, .rejected(_, nil): true
        case .accepted, .acted, .rejected, .unknown: false
        }
    }

    /// The job's id, where there is a job.
    var job: JobID? {
        switch self {
        case .accepted(let id), .acting(let id), .acted(let id, _, _): id
        case .pending, .rejected, .unknown: nil
        }
    }

    /// As it is now.
    init(of file: DroppedFile, in spool: String) {
        switch file.place(in: spool) {
        case .inbox, .staging: self = .pending
        case .unknown: self = .unknown
        case .rejected(let name): self = .rejected(name, Self.reason(of: name, in: spool))
        case .job(let id, let state):
            guard file.isVerb else { self = .accepted(id); return }
            guard state.isFinished else { self = .acting(id); return }
            let job = try? Directory(spool).directory(state.rawValue).directory(id.text)
            self = .acted(id, state, (try? job?.readResult()) ?? nil)
        }
    }

    private static func reason(of name: String, in spool: String) -> JSON? {
        let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : name
        return (try? Directory(spool).directory(SpoolLayout.rejected).readJSON(stem + ".error.json")) ?? nil
    }

    /// `nil` where nothing is wrong, as far as is known.
    var exitCode: Int32? {
        switch self {
        case .rejected: return ExitStatus.badData.rawValue
        case .acted(_, let state, let result):
            let code = JobWaiter.exitCode(ofVerb: .finished(state, result))
            return code == 0 ? nil : code
        case .pending, .accepted, .acting, .unknown: return nil
        }
    }
}
