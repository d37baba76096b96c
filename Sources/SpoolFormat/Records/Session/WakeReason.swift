/// One reason for a wake: a line of `reasons.jsonl` in the wake's job.
public struct WakeReason: Sendable, Equatable {
    public var event: WakeEvent
    /// When it happened; of a job's end, what its result says.
    public var at: Timestamp
    /// The job that it is about.
    public var job: String?
    public var queue: String?
    /// What the job is, in one line.
    public var summary: String?
    public var labels: [String: String]
    public var parent: String?
    public var outcome: Outcome?
    public var exitCode: Int?
    public var error: ErrorRecord?
    /// The attempts the job has had: a job that fails twice gives two reasons.
    public var attempts: Int
    /// Who retried, recovered or asked for it: the id of that job.
    public var by: String?
    /// In the words of whoever asked.
    public var text: String?

    public init(
        _ event: WakeEvent, at: Timestamp, job: String? = nil, queue: String? = nil, summary: String? = nil, labels: [String: String] = [:],
        parent: String? = nil, outcome: Outcome? = nil, exitCode: Int? = nil, error: ErrorRecord? = nil, attempts: Int = 0, by: String? = nil, text: String? = nil
    ) {
        self.event = event
        self.at = at
        self.job = job
        self.queue = queue
        self.summary = summary
        self.labels = labels
        self.parent = parent
        self.outcome = outcome
        self.exitCode = exitCode
        self.error = error
        self.attempts = attempts
        self.by = by
        self.text = text
    }

    /// Reasons with the same mark are one: a step that is taken again after a crash gives the same.
    public var mark: String {
        let once =
            switch event {
            case .retried, .recovered: by ?? ""
            // A job can end more than once with as many attempts: it was retried, and cancelled before it began.
            case .finished, .failed: at.description
            case .queued, .requested: ""
            }
        if let job { return "\(event.rawValue) \(job) \(attempts) \(once)" }
        return "\(event.rawValue) by \(by ?? "")"
    }

    public var json: JSON {
        var object: JSONObject = ["reason": .string(event.rawValue), "at": .string(at.description)]
        object["job"] = .optional(job)
        object["queue"] = .optional(queue)
        object["summary"] = .optional(summary)
        object["labels"] = labels.isEmpty ? nil : JSON(labels)
        object["parent"] = .optional(parent)
        object["outcome"] = .optional(outcome?.rawValue)
        object["exit_code"] = .optional(exitCode)
        object["error"] = error?.json
        object["attempts"] = attempts == 0 ? nil : .number(attempts)
        object["by"] = .optional(by)
        object["text"] = .optional(text)
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let event = value["reason"]?.string.flatMap(WakeEvent.init), let at = value["at"]?.string.flatMap(Timestamp.init) else { return nil }
        var labels: [String: String] = [:]
        for member in value["labels"]?.object?.members ?? [] { labels[member.name] = member.value.string }
        self.init(
            event, at: at, job: value["job"]?.string, queue: value["queue"]?.string, summary: value["summary"]?.string, labels: labels,
            parent: value["parent"]?.string, outcome: value["outcome"]?.string.flatMap(Outcome.init), exitCode: value["exit_code"]?.int,
            error: value["error"].flatMap(ErrorRecord.init), attempts: value["attempts"]?.int ?? 0, by: value["by"]?.string, text: value["text"]?.string)
    }
}
