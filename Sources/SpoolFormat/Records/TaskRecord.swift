/// `task.json`: what was accepted. The same task, normalised: defaults filled in, relative times made absolute, with
/// the id, the queue and who dropped it when. Written once, before the acceptance, and never changed.
public struct TaskRecord: Sendable, Equatable {
    public var id: JobID
    /// The order of acceptance: jobs of one priority start in this order. Unique within a spool.
    public var sequence: Int64
    public var verb: Verb
    public var queue: String
    public var priority: Int
    /// The owner of the dropped file.
    public var uid: UInt32
    public var acceptedAt: Timestamp
    /// How many jobs stand above this one, from 0; a job dropped by a job is one deeper than its parent.
    public var depth: Int
    /// The options as given, filled from the queue's defaults and then from the general ones; without `delay` and
    /// `expires_in`, which have become `not_before` and `expires_at`. What is not run keeps only its labels and its parent.
    public var options: TaskOptions
    /// Where what decides about its attempts comes from.
    public var origins: Origins

    /// - Parameter origins: of the options; without them, all were in the task.
    public init(
        id: JobID, sequence: Int64, verb: Verb, queue: String, uid: UInt32, acceptedAt: Timestamp, depth: Int,
        options: TaskOptions, origins: Origins? = nil
    ) {
        self.id = id
        self.sequence = sequence
        self.verb = verb
        self.queue = queue
        self.priority = options.priority ?? 0
        self.uid = uid
        self.acceptedAt = acceptedAt
        self.depth = depth
        self.options = options
        self.origins = Origins()
        if verb.runs {
            self.origins = origins ?? options.origins()
            self.options.timeout = options.timeout ?? Defaults.timeout
            self.options.grace = options.grace ?? Defaults.grace
            self.options.retries = options.retries ?? 0
            self.options.onCrash = options.onCrash ?? .rerun
            if let delay = options.delay { self.options.notBefore = acceptedAt + delay }
            if let span = options.expiresIn { self.options.expiresAt = acceptedAt + span }
            self.options.delay = nil
            self.options.expiresIn = nil
        } else {
            self.options = TaskOptions()
            self.options.labels = options.labels
            self.options.parent = options.parent
        }
        self.options.queue = queue
        self.options.priority = priority
    }

    public var timeout: TimeSpan { options.timeout ?? Defaults.timeout }
    public var grace: TimeSpan { options.grace ?? Defaults.grace }
    public var retries: Int { options.retries ?? 0 }
    public var onCrash: CrashPolicy { options.onCrash ?? .rerun }
    public var labels: [String: String] { options.labels ?? [:] }

    /// The ids and keys that must be done first; positions have become ids at acceptance.
    public var dependencies: [String] {
        (options.after ?? []).compactMap { if case .name(let name) = $0 { name } else { nil } }
    }

    /// It is acted on at once, and no attempt is made of it.
    public var isControl: Bool { !verb.runs }

    public var json: JSON {
        var object: JSONObject = ["id": .string(id.text)]
        object[verb.name] = verb.json
        for member in verb.fields.members { object[member.name] = member.value }
        for member in options.json.members { object[member.name] = member.value }
        object["origins"] = origins == Origins() ? nil : origins.json
        object["depth"] = depth == 0 ? nil : .number(depth)
        object["uid"] = .number(uid)
        object["accepted_at"] = .string(acceptedAt.description)
        object["seq"] = .int(sequence)
        return .object(object)
    }

    /// Reads a `task.json`, with the same strictness as a dropped task.
    public static func read(_ value: JSON) throws(TaskFault) -> TaskRecord {
        guard var object = value.object else { throw FieldReader.wrongKind(value, at: JSONPath(), expected: "an object") }
        var own = FieldReader(object)
        let id = try own.take("id", expected: "a job id") { $0.string.flatMap(JobID.init) }
        let depth = try own.integer("depth", in: 0...1000) ?? 0
        let origins = Origins(own.take("origins"))
        let uid = try own.integer("uid", in: 0...Int(UInt32.max))
        let acceptedAt = try own.time("accepted_at")
        let sequence = try own.integer("seq", in: 0...(1 << 53))
        guard let id, let uid, let acceptedAt, let sequence else {
            throw TaskFault("not_accepted", "this is not the task.json of an accepted job", expected: "id, uid, accepted_at, seq")
        }
        // Also what does not run came in by a queue and with a priority, which its verb does not take as options.
        let queue = try own.take("queue", expected: QueueName.expected) { $0.string.flatMap(SessionName.checkQueue) }
        let priority = try own.integer("priority", in: Bounds.priority)
        for name in ["id", "origins", "depth", "uid", "accepted_at", "seq", "queue", "priority"] { object[name] = nil }
        let file = try TaskReader.read(.object(object), at: JSONPath(), isElement: false, isRecord: true)
        var options = file.options
        options.priority = priority
        return TaskRecord(
            id: id, sequence: Int64(sequence), verb: file.verb, queue: queue ?? Defaults.queue, uid: UInt32(uid),
            acceptedAt: acceptedAt, depth: depth, options: options, origins: origins)
    }
}

/// The numbers of the design's §10.
public enum Defaults {
    public static let queue = "default"
    public static let timeout = TimeSpan.hours(1)
    public static let grace = TimeSpan.seconds(10)
    public static let taskBytes = 1 << 20
    public static let outputBytes = 1 << 20
    public static let logBytes: Int64 = 64 << 20
    public static let sweep = TimeSpan.minutes(3)
    public static let settle = TimeSpan.seconds(1)
    public static let keepTime = TimeSpan.days(7)
    public static let keepCount = 10_000
    public static let mostChildren = 64
    public static let deepestChild = 8
    /// How often a job whose runner was lost is run again: a job that takes the machine down with it must not do so
    /// for ever. Apart from `retries`, which are for attempts that ended by themselves.
    public static let crashReruns = 5
    /// How long it is remembered how a job ended that was forgotten otherwise.
    public static let rememberTime = TimeSpan.days(30)
    /// How long a job waits for a dependency that nobody has heard of.
    public static let missingDependency = TimeSpan.hours(1)
    /// Prompts that may wait for a session.
    public static let pendingPrompts = 10
    /// How long a wake tries to interrupt a turn that waits for input.
    public static let wakeDeadline = TimeSpan.seconds(30)
}
