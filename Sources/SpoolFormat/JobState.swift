/// The state of a job, which is the name of the directory it is in.
public enum JobState: String, Sendable, CaseIterable, Hashable {
    case waiting, queued, running, done, failed

    public var isFinished: Bool { self == .done || self == .failed }
}

/// How a job ended. `done/` holds what succeeded, `failed/` everything else.
public enum Outcome: String, Sendable, CaseIterable {
    case succeeded
    case failed
    case timedOut = "timed_out"
    case cancelled
    case expired
    case lost
    case stale
    case superseded
    case budgetExceeded = "budget_exceeded"

    public var state: JobState { self == .succeeded ? .done : .failed }
}
