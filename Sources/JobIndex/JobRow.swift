public import SpoolFormat

/// What the index knows of a job: enough to choose the next one and to list them all, and nothing that can't be
/// derived from the job's files again.
public struct JobRow: Sendable, Equatable {
    public var id: JobID
    /// Order of acceptance; unique.
    public var sequence: Int64
    public var state: JobState
    /// `run`, `tasks`, `cancel` …
    public var verb: String
    /// The command line in one line, or what a control verb acts on; at most 200 bytes, for lists.
    public var summary: String
    public var queue: String
    public var priority: Int
    public var key: String?
    public var labels: [String: String]
    public var parent: String?
    public var depth: Int
    public var uid: UInt32
    /// Ids or keys that must be done first.
    public var dependencies: [String]
    public var runsAfterFailure: Bool

    public var acceptedAt: Timestamp
    public var expiresAt: Timestamp?

    /// Why it waits and until when, from `state.json`.
    public var reason: StateRecord.Reason?
    public var until: Timestamp?

    /// The number of attempts that have begun.
    public var attempts: Int
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?
    public var durationMilliseconds: Int64?
    public var outcome: Outcome?
    public var exitCode: Int?
    public var signal: Int?
    public var errorCode: String?
    public var errorMessage: String?
    public var onCrash: CrashPolicy

    /// `task.json` as one line: a power cut may take the file's content although the acceptance was synced here.
    public var task: String

    /// A job as its files describe it. `waiting` is its `state.json`, `run` the record of the current attempt.
    /// - Parameter json: the task's own, where it is at hand.
    public init(
        task record: TaskRecord, state: JobState, waiting: StateRecord?, run: RunRecord?, result: ResultRecord?,
        json: JSON? = nil
    ) {
        id = record.id
        sequence = record.sequence
        self.state = state
        verb = record.verb.name
        summary = record.verb.summary
        queue = record.queue
        priority = record.priority
        key = record.options.key
        labels = record.labels
        parent = record.options.parent
        depth = record.depth
        uid = record.uid
        dependencies = record.dependencies
        runsAfterFailure = record.options.afterFailed == .run
        acceptedAt = record.acceptedAt
        // It says by when the job must have started: once it has, or was retried, it says nothing more.
        let isOverdue = waiting.map { $0.isRetried || $0.attempts > 0 } ?? false
        expiresAt = state == .running || state.isFinished || isOverdue ? nil : record.options.expiresAt
        // While somebody holds it, nothing else lets it go on, and no time makes it due.
        let isHeld = waiting?.isHeld ?? false
        reason = state == .waiting ? (isHeld ? .hold : waiting?.reason) : nil
        until = state == .waiting && !isHeld ? waiting?.until : nil
        attempts = result?.attempts ?? run?.attempt ?? waiting?.attempts ?? 0
        startedAt = result?.startedAt ?? (state == .running ? run?.startedAt : nil)
        finishedAt = result?.finishedAt
        durationMilliseconds = result?.durationMilliseconds
        outcome = result?.outcome
        exitCode = result?.exitCode
        signal = result?.signal
        errorCode = result?.error?.code
        errorMessage = result?.error?.message
        onCrash = record.onCrash
        task = JSONWriter.text(json ?? record.json)
    }

    /// A job of which only this much is known yet; a store fills in the rest.
    init(id: JobID, sequence: Int64, state: JobState, verb: String, queue: String, acceptedAt: Timestamp) {
        self.id = id
        self.sequence = sequence
        self.state = state
        self.verb = verb
        self.queue = queue
        self.acceptedAt = acceptedAt
        summary = ""
        priority = 0
        labels = [:]
        depth = 0
        uid = 0
        dependencies = []
        runsAfterFailure = false
        attempts = 0
        onCrash = .rerun
        task = ""
    }
}

extension JobRow {
    /// Whether this is a job that an attempt is made of; control verbs and `tasks` are acted on at once.
    public var runs: Bool { verb == "run" || isTurn }
    /// Whether an agent is spoken to.
    public var isTurn: Bool { verb == "prompt" || verb == "wake" }
}
