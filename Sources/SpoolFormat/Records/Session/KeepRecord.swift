/// `prompt.json` in the job of a process that stays between a session's turns: what the process is. It is what a
/// `TurnRecord` has of this, whose prompt may be empty.
public struct KeepRecord: Sendable, Equatable {
    public var id: JobID
    public var session: String
    public var agentName: String
    public var agent: AgentConfiguration
    public var model: String?
    /// Absolute.
    public var cwd: String
    /// The agent's own id for the conversation, where it has one.
    public var agentSession: String?

    public init(id: JobID, session: String, agentName: String, agent: AgentConfiguration, model: String?, cwd: String, agentSession: String?) {
        self.id = id
        self.session = session
        self.agentName = agentName
        self.agent = agent
        self.model = model
        self.cwd = cwd
        self.agentSession = agentSession
    }

    public static func read(_ value: JSON) throws(TaskFault) -> KeepRecord {
        guard let id = value["id"]?.string.flatMap(JobID.init), let session = value["session"]?.string,
            let agentName = value["agent"]?.string, let agent = value["configuration"], let cwd = value["cwd"]?.string
        else {
            throw TaskFault("bad_record", "this is no prompt.json of a session's process", expected: "id, session, agent, configuration, cwd")
        }
        return KeepRecord(
            id: id, session: session, agentName: agentName, agent: try AgentConfiguration.read(agent), model: value["model"]?.string,
            cwd: cwd, agentSession: value["agent_session"]?.string)
    }
}
