import SpoolFormat

/// `sessions/<name>/pane.json`: the agent in the terminal, from its start to its end. Its wrapper writes it: tmux itself
/// does not tell reliably how a pane ended.
struct PaneRecord {
    /// The job of the process that stays.
    var job: JobID
    /// The process that stays, and that has the terminal.
    var keeper: ProcessIdentity
    /// The wrapper. It ends when the agent has.
    var process: ProcessIdentity
    /// Where the terminal's output goes.
    var output: String
    /// Which conversation the agent is in: its own id, where its command takes one from us; otherwise it only tells this
    /// agent from the one before.
    var agentSession: String?
    var startedAt = Timestamp.now
    var endedAt: Timestamp?
    var exitCode: Int?
    var signal: Int?
    /// Why there is no agent: a word for programs, and a sentence.
    var code: String?
    var message: String?

    init(job: JobID, keeper: ProcessIdentity, process: ProcessIdentity, output: String) {
        self.job = job
        self.keeper = keeper
        self.process = process
        self.output = output
    }

    /// How it ended, in words.
    var ending: String {
        if let message { return message }
        if let signal { return "the agent was ended by signal \(signal)" }
        return exitCode.map { "the agent ended with exit code \($0)" } ?? "the agent was killed"
    }

    /// The same for a turn.
    var error: ErrorRecord { message.map { ErrorRecord(code ?? "unstartable", $0) } ?? ErrorRecord("agent_died", ending, retryable: true) }

    /// The exit code of a process that ends as the agent did.
    var exitStatus: Int32 { Int32(truncatingIfNeeded: exitCode ?? 128 + (signal ?? 9)) }

    func write(to session: Directory) throws(SystemFault) {
        try session.replace(SpoolLayout.Session.pane, with: JSONWriter.write(json))
    }

    static func read(in session: Directory) -> PaneRecord? {
        ((try? session.readJSON(SpoolLayout.Session.pane)) ?? nil).flatMap(PaneRecord.init)
    }

    private var json: JSON {
        var object: JSONObject = [
            "job": .string(job.text), "keeper": keeper.json, "process": process.json, "output": .string(output),
            "started_at": .string(startedAt.description),
        ]
        object["agent_session"] = .optional(agentSession)
        object["ended_at"] = .optional(endedAt?.description)
        object["exit_code"] = .optional(exitCode)
        object["signal"] = .optional(signal)
        object["code"] = .optional(code)
        object["message"] = .optional(message)
        return .object(object)
    }

    private init?(_ value: JSON) {
        guard let job = value["job"]?.string.flatMap(JobID.init), let keeper = value["keeper"].flatMap(ProcessIdentity.init),
            let process = value["process"].flatMap(ProcessIdentity.init), let output = value["output"]?.string,
            let startedAt = value["started_at"]?.string.flatMap(Timestamp.init)
        else { return nil }
        self.init(job: job, keeper: keeper, process: process, output: output)
        self.startedAt = startedAt
        agentSession = value["agent_session"]?.string
        endedAt = value["ended_at"]?.string.flatMap(Timestamp.init)
        exitCode = value["exit_code"]?.int
        signal = value["signal"]?.int
        code = value["code"]?.string
        message = value["message"]?.string
    }
}
