/// `sessions/<name>/state.json`: what a session does, since when and why, and what of it must not be forgotten.
/// The daemon alone writes it.
public struct SessionRecord: Sendable, Equatable {
    public struct Lock: Sendable, Equatable {
        public var reason: String?
        public var hint: String?
        /// The id of the job that locked it.
        public var by: String
        public var at: Timestamp

        public init(reason: String?, hint: String?, by: String, at: Timestamp) {
            self.reason = reason
            self.hint = hint
            self.by = by
            self.at = at
        }

        public var json: JSON {
            var object = JSONObject()
            object["reason"] = .optional(reason)
            object["hint"] = .optional(hint)
            object["by"] = .string(by)
            object["at"] = .string(at.description)
            return .object(object)
        }

        public init?(_ value: JSON) {
            guard let by = value["by"]?.string, let at = value["at"]?.string.flatMap(Timestamp.init) else { return nil }
            self.init(reason: value["reason"]?.string, hint: value["hint"]?.string, by: by, at: at)
        }
    }

    public var state: SessionState = .cold
    public var since: Timestamp
    public var agent: String
    /// The job that is its turn.
    public var turn: String?
    /// The job that is its process.
    public var process: String?
    /// What the agent last said of its work.
    public var progress: String?
    public var locked: Lock?
    /// Somebody said `pause`; the id of that job.
    public var pausedBy: String?
    /// The agent's own id for the conversation.
    public var agentSession: String?
    public var turns: Int = 0
    /// Prompts that wait.
    public var queued: Int = 0
    public var lastOutcome: Outcome?
    public var lastTurnAt: Timestamp?
    /// What the agent has counted for the whole conversation, where it counts so: a turn's share is the difference.
    public var usageTotal: Usage?
    /// The turn whose end is in the transcript and in these numbers, with its attempt: one that is concluded again after
    /// a crash counts once.
    public var lastTurn: String?
    public var lastUsage: Usage?
    /// The control job whose answer was handed over last: which one, when it was accepted, and its how many-th attempt.
    public var lastAnswer: String?
    /// When its process ended without being told to, lately.
    public var deaths: [Timestamp] = []
    /// Its process ended too often; somebody must look.
    public var isBroken = false
    /// The question that was answered by it: the turn's job, and since when it waited.
    public var lastAnswered: String?
    /// The control job that was carried out last, in the same words: again after a crash, it changes nothing.
    public var lastVerb: String?
    /// The turn that was told to end last, by a control job.
    public var lastInterrupted: String?
    /// Told to stop, and not gone yet.
    public var isStopping = false
    /// It is stopped to be started again.
    public var mustRestart = false
    /// Its first prompt has been sent since it was opened, and that was announced.
    public var isOpened = false

    public init(agent: String, since: Timestamp = .now) {
        self.agent = agent
        self.since = since
    }

    public var json: JSON {
        var object: JSONObject = [
            "state": .string(state.rawValue), "since": .string(since.description), "agent": .string(agent),
        ]
        object["turn"] = .optional(turn)
        object["process"] = .optional(process)
        object["progress"] = .optional(progress)
        object["locked"] = locked?.json
        object["paused_by"] = .optional(pausedBy)
        object["agent_session"] = .optional(agentSession)
        object["turns"] = .number(turns)
        object["queued"] = .number(queued)
        object["last_outcome"] = .optional(lastOutcome?.rawValue)
        object["last_turn_at"] = .optional(lastTurnAt?.description)
        object["usage_total"] = usageTotal?.json
        object["last_turn"] = .optional(lastTurn)
        object["last_usage"] = lastUsage?.json
        object["last_answer"] = .optional(lastAnswer)
        object["deaths"] = deaths.isEmpty ? nil : .array(deaths.map { .string($0.description) })
        object["broken"] = isBroken ? true : nil
        object["last_answered"] = .optional(lastAnswered)
        object["last_verb"] = .optional(lastVerb)
        object["last_interrupted"] = .optional(lastInterrupted)
        object["stopping"] = isStopping ? true : nil
        object["restart"] = mustRestart ? true : nil
        object["opened"] = isOpened ? true : nil
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let state = value["state"]?.string.flatMap(SessionState.init), let agent = value["agent"]?.string,
            let since = value["since"]?.string.flatMap(Timestamp.init)
        else { return nil }
        self.init(agent: agent, since: since)
        self.state = state
        turn = value["turn"]?.string
        process = value["process"]?.string
        progress = value["progress"]?.string
        locked = value["locked"].flatMap(Lock.init)
        pausedBy = value["paused_by"]?.string
        agentSession = value["agent_session"]?.string
        turns = value["turns"]?.int ?? 0
        queued = value["queued"]?.int ?? 0
        lastOutcome = value["last_outcome"]?.string.flatMap(Outcome.init)
        lastTurnAt = value["last_turn_at"]?.string.flatMap(Timestamp.init)
        usageTotal = value["usage_total"].map(Usage.init)
        lastTurn = value["last_turn"]?.string
        lastUsage = value["last_usage"].map(Usage.init)
        lastAnswer = value["last_answer"]?.string
        deaths = (value["deaths"]?.array ?? []).compactMap { $0.string.flatMap { Timestamp($0) } }
        isBroken = value["broken"]?.bool ?? false
        lastAnswered = value["last_answered"]?.string
        lastVerb = value["last_verb"]?.string
        lastInterrupted = value["last_interrupted"]?.string
        isStopping = value["stopping"]?.bool ?? false
        mustRestart = value["restart"]?.bool ?? false
        isOpened = value["opened"]?.bool ?? false
    }
}
