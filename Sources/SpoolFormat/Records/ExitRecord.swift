/// `exit.json`: how an attempt ended, written by its runner after the last process of the attempt is gone.
public struct ExitRecord: Sendable, Equatable {
    /// What brought the end about. A time limit is told here, never by an exit code.
    public enum Cause: String, Sendable, CaseIterable {
        /// The program ended by itself.
        case exited
        /// The runner ended it: its time was up.
        case timeout
        /// The runner ended it: the daemon said so.
        case cancelled
        /// The program could not be started.
        case unstartable
    }

    public var attempt: Int
    public var cause: Cause
    public var exitCode: Int?
    /// The number of the signal that ended the program.
    public var signal: Int?
    public var startedAt: Timestamp
    public var finishedAt: Timestamp
    public var durationMilliseconds: Int64
    public var resources: Resources
    /// Bytes that the log had to leave out between its head and its tail.
    public var logBytesLeftOut: Int64
    /// Processes that the program left behind and that the runner ended.
    public var leftBehind: Int
    /// Why the program could not be started.
    public var message: String?

    public init(
        attempt: Int, cause: Cause, exitCode: Int? = nil, signal: Int? = nil, startedAt: Timestamp,
        finishedAt: Timestamp, durationMilliseconds: Int64, resources: Resources = Resources(),
        logBytesLeftOut: Int64 = 0, leftBehind: Int = 0, message: String? = nil
    ) {
        self.attempt = attempt
        self.cause = cause
        self.exitCode = exitCode
        self.signal = signal
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.durationMilliseconds = durationMilliseconds
        self.resources = resources
        self.logBytesLeftOut = logBytesLeftOut
        self.leftBehind = leftBehind
        self.message = message
    }

    public var json: JSON {
        var object: JSONObject = ["attempt": .number(attempt), "cause": .string(cause.rawValue)]
        object["exit_code"] = .optional(exitCode)
        object["signal"] = .optional(signal)
        object["started_at"] = .string(startedAt.description)
        object["finished_at"] = .string(finishedAt.description)
        object["duration_ms"] = .int(durationMilliseconds)
        object["resources"] = resources.json
        object["log_bytes_left_out"] = logBytesLeftOut == 0 ? nil : .int(logBytesLeftOut)
        object["left_behind"] = leftBehind == 0 ? nil : .number(leftBehind)
        object["message"] = .optional(message)
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let attempt = value["attempt"]?.int, let cause = value["cause"]?.string.flatMap(Cause.init),
            let startedAt = value["started_at"]?.string.flatMap(Timestamp.init),
            let finishedAt = value["finished_at"]?.string.flatMap(Timestamp.init),
            let duration = value["duration_ms"]?.int
        else { return nil }
        self.init(
            attempt: attempt, cause: cause, exitCode: value["exit_code"]?.int, signal: value["signal"]?.int,
            startedAt: startedAt, finishedAt: finishedAt, durationMilliseconds: Int64(duration),
            resources: Resources(value["resources"]), logBytesLeftOut: Int64(value["log_bytes_left_out"]?.int ?? 0),
            leftBehind: value["left_behind"]?.int ?? 0, message: value["message"]?.string)
    }
}

/// What an attempt used, all its processes together.
public struct Resources: Sendable, Equatable {
    /// The largest resident set of any one process.
    public var maxRSSBytes: Int64 = 0
    public var userMilliseconds: Int64 = 0
    public var systemMilliseconds: Int64 = 0

    public init() {}

    init(_ value: JSON?) {
        maxRSSBytes = Int64(value?["max_rss_bytes"]?.int ?? 0)
        userMilliseconds = Int64(value?["user_ms"]?.int ?? 0)
        systemMilliseconds = Int64(value?["system_ms"]?.int ?? 0)
    }

    public var json: JSON {
        ["max_rss_bytes": .int(maxRSSBytes), "user_ms": .int(userMilliseconds), "system_ms": .int(systemMilliseconds)]
    }
}
