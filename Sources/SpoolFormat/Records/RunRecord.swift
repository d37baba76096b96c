/// `run.json`: the intent to run an attempt, complete enough for the runner to act on it alone. It is written before
/// the job's directory is renamed into `running/`, and names the one runner that may act on it.
public struct RunRecord: Sendable, Equatable {
    public var id: JobID
    /// From 1.
    public var attempt: Int
    public var arguments: [String]
    /// Absolute, or `nil` for `work/` in the job's directory.
    public var cwd: String?
    /// Added to the daemon's own environment, beside the `ROUSE_` variables that the runner sets.
    public var environment: [String: EnvironmentValue]
    public var stdin: StandardInput?
    public var timeout: TimeSpan
    public var grace: TimeSpan
    public var limits: Limits
    public var onCrash: CrashPolicy
    /// What the daemon goes by before the attempt and after it; the runner does not.
    public var priority: Int
    public var retries: Int
    public var backoff: Backoff?
    /// Where the settings come from.
    public var origins: Origins
    public var queue: String
    /// The spool's absolute path.
    public var spool: String
    public var runner: ProcessIdentity
    public var startedAt: Timestamp
    /// How many attempts were lost before this one.
    public var lost: Int

    /// What runs for a task that does not say it itself: a turn.
    public struct Program: Sendable, Equatable {
        public var arguments: [String]
        public var cwd: String?
        public var environment: [String: EnvironmentValue]

        public init(arguments: [String], cwd: String?, environment: [String: EnvironmentValue]) {
            self.arguments = arguments
            self.cwd = cwd
            self.environment = environment
        }
    }

    /// - Parameter turn: what runs, where the task is a turn.
    public init(
        task: TaskRecord, attempt: Int, lost: Int, queueEnvironment: [String: EnvironmentValue], turn: Program? = nil, spool: String,
        runner: ProcessIdentity, at now: Timestamp
    ) {
        id = task.id
        self.attempt = attempt
        if let turn {
            arguments = turn.arguments
        } else {
            guard case .run(let arguments) = task.verb else { preconditionFailure("only run tasks and turns are run") }
            self.arguments = arguments
        }
        cwd = turn?.cwd ?? task.options.cwd
        environment = queueEnvironment.merging(turn?.environment ?? [:]) { _, own in own }.merging(task.options.env ?? [:]) { _, own in own }
        stdin = task.options.stdin
        timeout = task.timeout
        grace = task.grace
        limits = task.options.limits ?? Limits()
        limits.logBytes = limits.logBytes ?? Defaults.logBytes
        onCrash = task.onCrash
        priority = task.priority
        retries = task.retries
        backoff = task.retries > 0 ? task.options.backoff ?? Backoff() : nil
        origins = task.origins
        for name in queueEnvironment.keys where task.options.env?[name] == nil { origins.set(.queue, for: "env." + name) }
        queue = task.queue
        self.spool = spool
        self.runner = runner
        startedAt = now
        self.lost = lost
    }

    /// When the attempt is to be ended, by the wall clock; the runner itself counts by a clock that nobody sets.
    public var deadline: Timestamp { startedAt + timeout }

    public var json: JSON {
        var object: JSONObject = [
            "id": .string(id.text), "attempt": .number(attempt), "argv": .array(arguments.map(JSON.string)),
        ]
        object["cwd"] = .optional(cwd)
        object["env"] = environment.isEmpty ? nil : JSON(environment)
        object["stdin"] = stdin?.json
        object["timeout"] = .string(timeout.description)
        object["grace"] = .string(grace.description)
        object["limits"] = limits == Limits() ? nil : limits.json
        object["on_crash"] = .string(onCrash.rawValue)
        object["priority"] = .number(priority)
        object["retries"] = .number(retries)
        object["backoff"] = backoff?.json
        object["origins"] = allOrigins.json
        object["queue"] = .string(queue)
        object["spool"] = .string(spool)
        object["runner"] = runner.json
        object["started_at"] = .string(startedAt.description)
        object["deadline"] = .string(deadline.description)
        object["lost"] = lost == 0 ? nil : .number(lost)
        return .object(object)
    }

    /// Also of what nobody has set, so that the reader need not know what has a default.
    private var allOrigins: Origins {
        var all = origins
        for name in ["priority", "timeout", "grace", "retries", "cwd", "on_crash", "limits.log_bytes"] { all.set(origins[name], for: name) }
        if backoff != nil { all.set(origins["backoff"], for: "backoff") }
        return all
    }

    public static func read(_ value: JSON) throws(TaskFault) -> RunRecord {
        var fields = try FieldReader(value, at: JSONPath(), expected: "an object")
        return try RunRecord(&fields)
    }

    private init(_ fields: inout FieldReader) throws(TaskFault) {
        let id = try fields.take("id", expected: "a job id") { $0.string.flatMap(JobID.init) }
        let attempt = try fields.integer("attempt", in: 1...Int.max)
        let arguments = try fields.take("argv", expected: "an array of strings") { value in
            value.array.flatMap { values in
                let texts = values.compactMap(\.string)
                return texts.count == values.count ? texts : nil
            }
        }
        cwd = try fields.string("cwd")
        environment = try fields.take("env").map { value throws(TaskFault) in
            try TaskReader.environment(value, at: JSONPath([.name("env")]), maximumCount: .max)
        } ?? [:]
        stdin = try fields.take("stdin", expected: "text or a file") { value in
            value.string.map(StandardInput.text) ?? value["file"]?.string.map(StandardInput.file)
        }
        let timeout = try fields.span("timeout")
        let grace = try fields.span("grace")
        let limits = fields.take("limits")
        self.limits = Limits()
        self.limits.memory = limits?["memory"]?.int.map(Int64.init)
        self.limits.cpuSeconds = limits?["cpu_seconds"]?.int.map(Int64.init)
        self.limits.openFiles = limits?["open_files"]?.int.map(Int64.init)
        self.limits.processes = limits?["processes"]?.int.map(Int64.init)
        self.limits.logBytes = limits?["log_bytes"]?.int.map(Int64.init)
        onCrash = try fields.choice("on_crash", CrashPolicy.self) ?? .rerun
        priority = try fields.integer("priority", in: Bounds.priority) ?? 0
        retries = try fields.integer("retries", in: 0...Int.max) ?? 0
        // Written for people, and not worth the time of a start: the daemon goes by the task, the runner by neither.
        backoff = nil
        origins = Origins()
        queue = try fields.string("queue") ?? Defaults.queue
        let spool = try fields.string("spool")
        let runner = fields.take("runner").flatMap(ProcessIdentity.init)
        let startedAt = try fields.time("started_at")
        lost = try fields.integer("lost", in: 0...Int.max) ?? 0
        guard let id, let attempt, let arguments, !arguments.isEmpty, let timeout, let grace, let spool, let runner, let startedAt else {
            throw TaskFault("bad_record", "this is no run.json", expected: "id, attempt, argv, timeout, grace, spool, runner, started_at")
        }
        self.id = id
        self.attempt = attempt
        self.arguments = arguments
        self.timeout = timeout
        self.grace = grace
        self.spool = spool
        self.runner = runner
        self.startedAt = startedAt
    }
}
