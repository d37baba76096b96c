import Glibc
import SpoolFormat

/// An agent that speaks the Agent Client Protocol (version 1) over its standard input and output. A session's agent is
/// a process that stays, and that is handed from turn to turn; an agent that runs once is started here.
struct ACPDriver: Driver {
    private let turn: Turn
    private let children = Children()

    init(_ turn: Turn) { self.turn = turn }

    mutating func run() throws(TurnFault) -> ReplyRecord {
        guard let session = turn.session else {
            let (agent, _) = try AgentProcess.start(turn, children)
            let talk = Conversation(turn, with: agent, children)
            defer { finish(talk) }
            return try converse(talk)
        }
        guard let agent = try AgentProcess.fetch(turn, in: session) else { throw Conversation.interrupted }
        let talk = Conversation(turn, with: agent, children)
        defer { finish(talk) }
        try talk.resynchronise()
        return try converse(talk)
    }

    private func converse(_ talk: Conversation) throws(TurnFault) -> ReplyRecord {
        try talk.initialize()
        var isAnew = try talk.openSession()
        try turn.willPrompt()
        turn.isPromptOut = true
        var end = try talk.prompt(isAnew ? Anew.content(turn.record) : turn.record.content)
        if ACPReply.showsLostSession(end, talk), let id = talk.state.sessionID {
            try talk.loseSession(id)
            isAnew = true
            end = try talk.prompt(Anew.content(turn.record))
        }
        var reply = ACPReply.make(end, talk)
        reply.isAnew = isAnew
        return reply
    }

    /// Leaves nothing behind but what is meant to stay.
    private func finish(_ talk: Conversation) {
        talk.cancelPermissions()
        talk.hearTheRest()
        talk.state.isInTurn = talk.state.outstanding != nil
        talk.save()
        let agent = talk.agent
        // Closing its standard input ends most agents within a second, with their tools.
        if !agent.isKept { agent.closeInput() }
        let patience: Int64 = agent.isKept ? 0 : 2000
        var ladder = Ladder([(patience, SIGTERM), (patience + 2000, SIGKILL)])
        while !children.areGone {
            ladder.climb { children.send($0) }
            // An agent that still speaks must be heard, or it can't end.
            while !agent.isKept, agent.output.read() != nil {}
            let reading = agent.isKept || agent.output.isAtEnd ? [] : [agent.output.descriptor]
            turn.wait(reading: reading, until: ladder.next)
        }
    }
}
