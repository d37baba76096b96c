/// `prompt.json` in a turn's job: all that the driver needs, written by the daemon before the turn begins, and the
/// prompt as it is sent.
public struct TurnRecord: Sendable, Equatable {
    /// Who speaks: a person or a program by a task file, or Rouse itself.
    public enum Source: String, Sendable, CaseIterable {
        case prompt, synthetic
    }

    public var id: JobID
    /// `nil` for an agent that runs once.
    public var session: String?
    public var agentName: String
    /// The agent's configuration, whole, as its file has it.
    public var agent: JSON
    public var model: String?
    /// Absolute.
    public var cwd: String
    /// The agent's own id for the conversation, where it has one.
    public var agentSession: String?
    public var source: Source
    /// Notes first, then the prompt.
    public var content: [ContentBlock]
    public var display: String?
    /// Why the session is woken, where this is a wake.
    public var reasons: [WakeReason]
    public var lostSession: LostSession
    /// The end of the transcript as text, for an agent that has lost the conversation.
    public var summary: String?
    /// The job of the process that keeps the agent; `nil` for an agent that has a process a turn.
    public var process: JobID?

    public init(
        id: JobID, session: String?, agentName: String, agent: JSON, model: String?, cwd: String, agentSession: String?,
        source: Source, content: [ContentBlock], display: String?, reasons: [WakeReason], lostSession: LostSession, summary: String?
    ) {
        self.id = id
        self.session = session
        self.agentName = agentName
        self.agent = agent
        self.model = model
        self.cwd = cwd
        self.agentSession = agentSession
        self.source = source
        self.content = content
        self.display = display
        self.reasons = reasons
        self.lostSession = lostSession
        self.summary = summary
    }

    public var text: String { content.map(\.text).joined(separator: "\n\n") }

    public var json: JSON {
        var object: JSONObject = ["id": .string(id.text)]
        object["session"] = .optional(session)
        object["source"] = .string(source.rawValue)
        object["content"] = .array(content.map(\.json))
        object["display"] = .optional(display)
        object["reasons"] = reasons.isEmpty ? nil : .array(reasons.map(\.json))
        object["agent"] = .string(agentName)
        object["model"] = .optional(model)
        object["cwd"] = .string(cwd)
        object["agent_session"] = .optional(agentSession)
        object["on_lost_session"] = .string(lostSession.rawValue)
        object["summary"] = .optional(summary)
        object["process"] = .optional(process?.text)
        object["configuration"] = agent
        return .object(object)
    }

    public static func read(_ value: JSON) throws(TaskFault) -> TurnRecord {
        guard let id = value["id"]?.string.flatMap(JobID.init), let agentName = value["agent"]?.string,
            let agent = value["configuration"], let cwd = value["cwd"]?.string,
            let source = value["source"]?.string.flatMap(Source.init), let content = value["content"]
        else {
            throw TaskFault("bad_record", "this is no prompt.json", expected: "id, source, content, agent, configuration, cwd")
        }
        var record = TurnRecord(
            id: id, session: value["session"]?.string, agentName: agentName, agent: agent, model: value["model"]?.string, cwd: cwd,
            agentSession: value["agent_session"]?.string, source: source,
            // A process that stays is started without a prompt.
            content: content.array?.isEmpty == true ? [] : try ContentBlock.readAll(content, at: JSONPath([.name("content")])), display: value["display"]?.string,
            reasons: (value["reasons"]?.array ?? []).compactMap(WakeReason.init),
            lostSession: value["on_lost_session"]?.string.flatMap(LostSession.init) ?? .anew, summary: value["summary"]?.string)
        record.process = value["process"]?.string.flatMap(JobID.init)
        return record
    }
}
