import SpoolFormat

/// An agent with a process a turn, such as `claude --print` or `codex exec`.
struct CommandDriver: Driver {
    private let turn: Turn

    init(_ turn: Turn) { self.turn = turn }

    mutating func run() throws(TurnFault) -> ReplyRecord {
        guard let id = turn.record.agentSession, let resume = turn.agent.resume else {
            var reply = try begin(turn.record.text, isAgain: false)
            reply.isAnew = turn.record.agentSession != nil
            return reply
        }
        let run = try CommandRun(turn, resume, session: id, prompt: turn.record.text)
        try turn.willPrompt()
        let end = try run.toItsEnd()
        guard CommandReply.hasLostSession(end, turn.agent) else {
            var reply = CommandReply.make(end, turn, session: id)
            // Some go on in a conversation of another name, and count that from its beginning.
            reply.isAnew = reply.agentSession != id
            return reply
        }
        guard turn.record.lostSession == .anew else {
            throw TurnFault(
                "agent_session_lost", "the agent does not know its session \(id) any more",
                hint: "restart the session with \"fresh\", or set \"on_lost_session\": \"anew\"")
        }
        try? turn.events.append("session_lost", ["agent_session": .string(id)])
        var reply = try begin(Anew.prompt(turn.record), isAgain: true)
        reply.isAnew = true
        return reply
    }

    /// A conversation that the agent does not have yet.
    private func begin(_ prompt: String, isAgain: Bool) throws(TurnFault) -> ReplyRecord {
        let id = AgentArguments.uuid()
        let run = try CommandRun(turn, turn.agent.command, newSession: id, prompt: prompt)
        if !isAgain { try turn.willPrompt() }
        let end = try run.toItsEnd()
        var reply = CommandReply.make(end, turn, session: nil)
        // The id counts once the agent has said something under it: killed early, it may have saved nothing.
        if reply.agentSession == nil, turn.agent.mentions("new_session"), end.output.hasSaidAnything { reply.agentSession = id }
        return reply
    }
}
