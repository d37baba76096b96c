/// `config/sessions/<name>.json`, and what `open` says: which agent a session talks to, where, and what it answers for.
public struct SessionConfiguration: Sendable, Equatable {
    public enum Role: String, Sendable, CaseIterable {
        /// A conversation that people and jobs have.
        case worker
        /// Woken when the jobs that it answers for change state.
        case coordinator
    }

    /// The jobs that a coordinator answers for: those of any of these.
    public struct Coordinates: Sendable, Equatable {
        public var queues: [String] = []
        /// Jobs that carry all of these labels.
        public var labels: [String: String] = [:]
        /// Jobs that these have dropped.
        public var parents: [String] = []

        public init() {}

        public var isEmpty: Bool { queues.isEmpty && labels.isEmpty && parents.isEmpty }
    }

    public var agent: String
    /// Where the agent works; without it, `sessions/<name>/work/`.
    public var cwd: String?
    public var role: Role = .worker
    public var coordinates = Coordinates()
    /// What a coordinator is woken for; all of them, where it is not said.
    public var wakeOn: [WakeEvent] = WakeEvent.ofJobs
    /// What its wakes do with a turn that waits for input.
    public var mode: WakeMode = .queue
    /// How many prompts may wait.
    public var pending: Int = Defaults.pendingPrompts
    public var model: String?
    public var environment: [String: EnvironmentValue] = [:]
    /// How long a turn may take.
    public var timeout: TimeSpan?
    public var grace: TimeSpan?
    public var lostSession: LostSession?

    public init(agent: String) { self.agent = agent }

    static let mostPending = 10_000

    /// - Throws: `TaskFault`, whose path says which field is at fault.
    public static func read(_ value: JSON) throws(TaskFault) -> SessionConfiguration {
        var fields = try FieldReader(value, at: JSONPath(), expected: "a JSON object that describes a session")
        let session = try read(&fields)
        try fields.finish(synonyms: synonyms)
        return session
    }

    static let synonyms = ["dir": "cwd", "directory": "cwd", "environment": "env", "coordinate": "coordinates", "max_pending": "pending"]

    /// Reads the fields of a definition, and leaves others to whoever asks: `open` has them beside its own.
    static func read(_ fields: inout FieldReader) throws(TaskFault) -> SessionConfiguration {
        let agent = try fields.take("agent", expected: SessionName.expectedAgent) { $0.string.flatMap(SessionName.check) }
        var session = SessionConfiguration(agent: agent ?? "")
        session.cwd = try fields.take("cwd", expected: "an absolute path") { $0.string.flatMap(AbsolutePath.check) }
        let role = try fields.choice("role", Role.self)
        if let value = fields.take("coordinates") { session.coordinates = try coordinates(value, at: fields.path.appending("coordinates")) }
        session.role = role ?? (session.coordinates.isEmpty ? .worker : .coordinator)
        let events = WakeEvent.ofJobs.map(\.rawValue)
        session.wakeOn = try fields.list("wake_on", maximumCount: 100, expected: "one of " + events.joined(separator: ", ")) { value in
            value.string.flatMap(WakeEvent.init).flatMap { WakeEvent.ofJobs.contains($0) ? $0 : nil }
        } ?? WakeEvent.ofJobs
        session.mode = try fields.choice("mode", WakeMode.self) ?? .queue
        session.pending = try fields.integer("pending", in: 1...mostPending) ?? Defaults.pendingPrompts
        session.model = try fields.take("model", expected: AgentConfiguration.modelExpected) { $0.string.flatMap(AgentConfiguration.checkModel) }
        if let value = fields.take("env") { session.environment = try TaskReader.environment(value, at: fields.path.appending("env")) }
        session.timeout = try fields.span("timeout", atLeast: Bounds.shortestTimeout)
        session.grace = try fields.span("grace")
        session.lostSession = try fields.choice("on_lost_session", LostSession.self)
        guard agent != nil else {
            throw TaskFault(
                "missing_field", "the session has no \"agent\"", at: fields.path, expected: "the name of an agent",
                hint: #"write "agent": "<name>" for an agent of config/agents/<name>.json"#)
        }
        if session.role == .worker, !session.coordinates.isEmpty {
            throw TaskFault(
                "bad_value", "a worker coordinates nothing", at: fields.path.appending("coordinates"), isAtName: true,
                expected: #""role": "coordinator""#)
        }
        return session
    }

    private static func coordinates(_ value: JSON, at place: JSONPath) throws(TaskFault) -> Coordinates {
        var fields = try FieldReader(value, at: place, expected: "an object with queues, labels, parents")
        var result = Coordinates()
        result.queues = try fields.list("queues", maximumCount: 1000, expected: QueueName.expected) { $0.string.flatMap(QueueName.check) } ?? []
        result.labels = try fields.stringMap("labels") ?? [:]
        result.parents = try fields.list("parents", maximumCount: 1000, expected: "a job id") { $0.string.flatMap(JobID.init)?.text } ?? []
        try fields.finish(synonyms: ["queue": "queues", "label": "labels", "parent": "parents", "jobs": "parents"])
        return result
    }

    /// Every field, in the order of the documentation.
    public var json: JSONObject {
        var object: JSONObject = ["agent": .string(agent)]
        object["cwd"] = .optional(cwd)
        object["role"] = .string(role.rawValue)
        if !coordinates.isEmpty {
            var inner = JSONObject()
            inner["queues"] = coordinates.queues.isEmpty ? nil : .array(coordinates.queues.map(JSON.string))
            inner["labels"] = coordinates.labels.isEmpty ? nil : JSON(coordinates.labels)
            inner["parents"] = coordinates.parents.isEmpty ? nil : .array(coordinates.parents.map(JSON.string))
            object["coordinates"] = .object(inner)
        }
        object["wake_on"] = role == .coordinator ? .array(wakeOn.map { .string($0.rawValue) }) : nil
        object["mode"] = .string(mode.rawValue)
        object["pending"] = .number(pending)
        object["model"] = .optional(model)
        object["env"] = environment.isEmpty ? nil : JSON(environment)
        object["timeout"] = .optional(timeout?.description)
        object["grace"] = .optional(grace?.description)
        object["on_lost_session"] = .optional(lostSession?.rawValue)
        return object
    }
}

/// What becomes of a turn whose conversation the agent does not know any more.
public enum LostSession: String, Sendable, CaseIterable {
    /// The agent begins a new conversation, with a summary of the transcript in front of the prompt.
    case anew
    case fail
}

/// Why a session is woken.
public enum WakeEvent: String, Sendable, CaseIterable {
    case queued, finished, failed, retried, recovered
    /// Somebody said so.
    case requested

    /// Those that jobs bring about.
    public static let ofJobs: [WakeEvent] = [.queued, .finished, .failed, .retried, .recovered]
}
