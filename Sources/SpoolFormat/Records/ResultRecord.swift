/// `result.json`: the outcome of a job.
public struct ResultRecord: Sendable, Equatable {
    public var id: JobID
    public var outcome: Outcome
    public var exitCode: Int?
    public var signal: Int?
    public var error: ErrorRecord?
    /// Attempts that were started.
    public var attempts: Int
    public var queuedAt: Timestamp
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp
    public var durationMilliseconds: Int64?
    public var resources: Resources?
    /// What the program wrote to `$ROUSE_RESULT`, or what a control verb did.
    public var output: JSON?
    /// What a turn has used of a model.
    public var usage: Usage?
    /// Of a wake: its outcome, the ways it was tried, and the reasons that it was for.
    public var wake: JSON?
    public var warnings: [String]
    /// The log's path within the spool.
    public var log: String?

    public init(
        id: JobID, outcome: Outcome, error: ErrorRecord? = nil, attempts: Int, queuedAt: Timestamp,
        finishedAt: Timestamp, output: JSON? = nil
    ) {
        self.id = id
        self.outcome = outcome
        self.error = error
        self.attempts = attempts
        self.queuedAt = queuedAt
        self.finishedAt = finishedAt
        self.output = output
        warnings = []
    }

    /// Takes over what the runner says of the last attempt.
    public mutating func take(_ exit: ExitRecord) {
        exitCode = exit.exitCode
        signal = exit.signal
        startedAt = exit.startedAt
        durationMilliseconds = exit.durationMilliseconds
        resources = exit.resources
    }

    public var json: JSON {
        var object: JSONObject = ["id": .string(id.text), "outcome": .string(outcome.rawValue)]
        object["exit_code"] = .optional(exitCode)
        object["signal"] = .optional(signal)
        object["error"] = error?.json
        object["attempts"] = .number(attempts)
        object["queued_at"] = .string(queuedAt.description)
        object["started_at"] = .optional(startedAt?.description)
        object["finished_at"] = .string(finishedAt.description)
        object["duration_ms"] = durationMilliseconds.map(JSON.int)
        object["resources"] = resources?.json
        object["usage"] = usage?.json
        object["wake"] = wake
        object["output"] = output
        object["warnings"] = warnings.isEmpty ? nil : .array(warnings.map(JSON.string))
        object["log"] = .optional(log)
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let id = value["id"]?.string.flatMap(JobID.init),
            let outcome = value["outcome"]?.string.flatMap(Outcome.init), let attempts = value["attempts"]?.int,
            let queuedAt = value["queued_at"]?.string.flatMap(Timestamp.init),
            let finishedAt = value["finished_at"]?.string.flatMap(Timestamp.init)
        else { return nil }
        self.init(
            id: id, outcome: outcome, error: value["error"].flatMap(ErrorRecord.init), attempts: attempts,
            queuedAt: queuedAt, finishedAt: finishedAt, output: value["output"])
        exitCode = value["exit_code"]?.int
        signal = value["signal"]?.int
        startedAt = value["started_at"]?.string.flatMap(Timestamp.init)
        durationMilliseconds = value["duration_ms"]?.int.map(Int64.init)
        resources = value["resources"].map { Resources($0) }
        usage = value["usage"].map(Usage.init)
        wake = value["wake"]
        warnings = value["warnings"]?.array?.compactMap(\.string) ?? []
        log = value["log"]?.string
    }
}

/// Why something did not succeed: a word for programs, a sentence for people, and whether trying again may help.
public struct ErrorRecord: Sendable, Equatable {
    public var code: String
    public var message: String
    public var retryable: Bool

    public init(_ code: String, _ message: String, retryable: Bool = false) {
        self.code = code
        self.message = message
        self.retryable = retryable
    }

    init?(_ value: JSON) {
        guard let code = value["code"]?.string, let message = value["message"]?.string else { return nil }
        self.init(code, message, retryable: value["retryable"]?.bool ?? false)
    }

    public var json: JSON { ["code": .string(code), "message": .string(message), "retryable": .bool(retryable)] }
}
