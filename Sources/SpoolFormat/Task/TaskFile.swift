/// One task as somebody wrote it: a verb and its options. What was not written is `nil`.
public struct TaskFile: Sendable, Equatable {
    public var verb: Verb
    public var options = TaskOptions()
    /// The job id that an element of `tasks` asks for. A dropped file's id is its name.
    public var id: String?

    public init(_ verb: Verb, options: TaskOptions = TaskOptions(), id: String? = nil) {
        self.verb = verb
        self.options = options
        self.id = id
    }
}

/// The options of a task, as far as they were given. A queue's `defaults` are options too.
public struct TaskOptions: Sendable, Equatable {
    public var queue: String?
    public var priority: Int?
    public var key: String?
    public var onDuplicate: DuplicatePolicy?
    public var after: [Dependency]?
    public var afterFailed: FailedDependencyPolicy?
    public var notBefore: Timestamp?
    public var delay: TimeSpan?
    public var expiresAt: Timestamp?
    public var expiresIn: TimeSpan?
    public var timeout: TimeSpan?
    public var grace: TimeSpan?
    public var retries: Int?
    public var backoff: Backoff?
    public var cwd: String?
    public var env: [String: EnvironmentValue]?
    public var stdin: StandardInput?
    public var onCrash: CrashPolicy?
    public var replyTo: String?
    public var limits: Limits?
    /// Sessions to wake when the job finishes, is retried or recovered.
    public var notify: [String]?
    public var labels: [String: String]?
    public var parent: String?

    public init() {}

    /// These options, with `defaults` where nothing was given. Environments and labels are merged name by name.
    public func filled(from defaults: TaskOptions) -> TaskOptions {
        var result = self
        result.queue = queue ?? defaults.queue
        result.priority = priority ?? defaults.priority
        result.key = key ?? defaults.key
        result.onDuplicate = onDuplicate ?? defaults.onDuplicate
        result.after = after ?? defaults.after
        result.afterFailed = afterFailed ?? defaults.afterFailed
        if notBefore == nil, delay == nil { (result.notBefore, result.delay) = (defaults.notBefore, defaults.delay) }
        if expiresAt == nil, expiresIn == nil {
            (result.expiresAt, result.expiresIn) = (defaults.expiresAt, defaults.expiresIn)
        }
        result.timeout = timeout ?? defaults.timeout
        result.grace = grace ?? defaults.grace
        result.retries = retries ?? defaults.retries
        result.backoff = backoff ?? defaults.backoff
        result.cwd = cwd ?? defaults.cwd
        result.env = merged(env, over: defaults.env)
        result.stdin = stdin ?? defaults.stdin
        result.onCrash = onCrash ?? defaults.onCrash
        result.replyTo = replyTo ?? defaults.replyTo
        result.limits = limits?.filled(from: defaults.limits) ?? defaults.limits
        result.notify = notify ?? defaults.notify
        result.labels = merged(labels, over: defaults.labels)
        result.parent = parent ?? defaults.parent
        return result
    }

    private func merged<Value>(_ own: [String: Value]?, over base: [String: Value]?) -> [String: Value]? {
        guard let own, let base else { return own ?? base }
        return base.merging(own) { _, own in own }
    }
}

/// What happens to a task whose key an unfinished job holds.
public enum DuplicatePolicy: String, Sendable, CaseIterable {
    /// The new task is superseded by the job that is there.
    case drop
    /// The new task takes the place of the job that is there.
    case replace
    /// The new task waits until the key is free.
    case queue
}

/// What the end of a dependency that did not succeed means.
public enum FailedDependencyPolicy: String, Sendable, CaseIterable {
    case fail, run
}

/// Whether a job whose runner was lost runs again (at least once) or not (at most once).
public enum CrashPolicy: String, Sendable, CaseIterable {
    case rerun, fail
}

/// Something that must be done first.
public enum Dependency: Sendable, Equatable {
    /// A job's id or key.
    case name(String)
    /// A place in the same `tasks` array, from 0.
    case position(Int)
}

/// A value of the environment, given or read from a file by the runner just before the start. What is read from a
/// file stands in no record.
public enum EnvironmentValue: Sendable, Equatable {
    case text(String)
    case file(String)
}

/// What the program reads on its standard input; without it, `/dev/null`.
public enum StandardInput: Sendable, Equatable {
    case text(String)
    case file(String)
}

/// How long a failed job waits for its next attempt: `base · factorⁿ`, at most `max`, give or take `jitter`.
public struct Backoff: Sendable, Equatable {
    public var base: TimeSpan = .seconds(5)
    public var factor: Double = 2
    public var max: TimeSpan = .minutes(10)
    /// The largest deviation, as a part of the wait: 0.1 is ± 10 %.
    public var jitter: Double = 0.1

    public init() {}

    /// The wait after the `failures`th failure (from 1). `random` is in −1…1.
    public func wait(afterFailure failures: Int, random: Double) -> TimeSpan {
        var wait = Double(base.milliseconds)
        for _ in 1..<Swift.max(failures, 1) where wait < Double(max.milliseconds) { wait *= factor }
        wait = min(wait, Double(max.milliseconds)) * (1 + jitter * random)
        return TimeSpan(milliseconds: Int64(wait.rounded()))
    }
}

/// What an attempt may use. `nil` is no limit but the system's; for `logBytes` it is the default.
public struct Limits: Sendable, Equatable {
    /// Bytes of address space of each process.
    public var memory: Int64?
    /// Seconds of processor time of each process.
    public var cpuSeconds: Int64?
    public var openFiles: Int64?
    /// Processes of the user that runs the job.
    public var processes: Int64?
    /// Bytes of the log that are kept: half from its head, half from its tail.
    public var logBytes: Int64?

    public init() {}

    func filled(from defaults: Limits?) -> Limits {
        guard let defaults else { return self }
        var result = self
        result.memory = memory ?? defaults.memory
        result.cpuSeconds = cpuSeconds ?? defaults.cpuSeconds
        result.openFiles = openFiles ?? defaults.openFiles
        result.processes = processes ?? defaults.processes
        result.logBytes = logBytes ?? defaults.logBytes
        return result
    }
}
