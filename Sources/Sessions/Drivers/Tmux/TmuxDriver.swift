import Glibc
import SpoolFormat

/// Talks to an interactive agent in a terminal that a person can attach to.
///
/// ```
/// find the terminal ─▶ wait until it is ready ─▶ paste ─▶ Enter ─▶ watch: idle again ─▶ read the reply
///                        dialogs are accepted                        waiting ◀─▶ answer
/// ```
/// The process that has the terminal is a job of its own (`TmuxKeeper`), and stays when a turn ends or dies.
struct TmuxDriver: Driver {
    let turn: Turn
    let agent: AgentConfiguration
    /// Where the turn has come to its end, and the agent to rest.
    private var pane: TmuxPane?

    init(_ turn: Turn) {
        self.turn = turn
        agent = turn.agent
    }

    mutating func run() throws(TurnFault) -> ReplyRecord {
        do throws(TurnFault) { return try talk() } catch {
            // Its terminal goes with an agent that ends; that it does not answer any more is not what is to be told.
            guard error.error.code == "tmux_failed", let record = turn.session.flatMap({ PaneRecord.read(in: $0) }), record.endedAt != nil else { throw error }
            throw TurnFault(turn.keeper?.awaitEnding(turn) ?? record.error)
        }
    }

    private mutating func talk() throws(TurnFault) -> ReplyRecord {
        guard let session = turn.session, let name = turn.record.session else {
            throw TurnFault("no_session", "an agent in a terminal talks in a session; give the prompt a \"session\" instead of an \"agent\"")
        }
        let deadline = Monotonic.now + agent.ready.timeout.milliseconds
        let server = TmuxServer(in: session, session: name)
        guard let pane = try PaneSearch(turn, in: session, on: server).find(until: deadline) else { return Self.cancelled }
        let screen = try Screen(pane, for: turn)
        if let old = try pane.mark(), old.turn != turn.record.id.text, old.isSent, try !resynchronise(pane, screen, old) { return Self.cancelled }
        // An earlier try of this turn may have sent the prompt, and died.
        let sent = try pane.mark().flatMap { $0.turn == turn.record.id.text && $0.isSent ? $0 : nil }
        if sent != nil {
            turn.isPromptOut = true
            // What that try has written down of it lies among its own files now.
            try? turn.noteSaid()
        } else {
            var readiness = TmuxReadiness(turn, pane, screen)
            guard try readiness.wait(until: deadline) else { return Self.cancelled }
        }
        // Only now: an agent that has not known its conversation has begun another meanwhile.
        let conversation = (PaneRecord.read(in: session) ?? pane.record).agentSession
        let isAnew = try isConversationLost(conversation)
        let said = TerminalText.typed(isAnew ? Anew.prompt(turn.record) : turn.record.text)
        let mark: TurnMark
        if let sent {
            mark = sent
            try? turn.events.append("resumed", ["sent_at": .string(sent.at.description)])
            turn.say(.working)
        } else {
            mark = try send(said, to: pane, screen)
        }
        var rest = TmuxTurn(turn, pane, screen, mark, said: said)
        var reply = try rest.follow()
        reply.agentSession = conversation
        reply.isAnew = isAnew
        if rest.isAtRest { self.pane = pane }
        return reply
    }

    /// Whether this is another conversation than that of the turns before: their agent has ended, and was not resumed.
    private func isConversationLost(_ now: String?) throws(TurnFault) -> Bool {
        guard let earlier = turn.record.agentSession, let now, earlier != now else { return false }
        guard turn.record.lostSession == .anew else {
            throw TurnFault(
                "agent_session_lost", "the agent of the earlier turns has ended, and its conversation with it",
                hint: "restart the session with \"fresh\", set \"on_lost_session\": \"anew\", or give the agent a \"resume\"")
        }
        try? turn.events.append("session_lost", ["agent_session": .string(earlier)])
        return true
    }

    /// A retry of this turn begins anew, once there is a reply. Without one, the turn is taken up again.
    func conclude() {
        if let pane, !pane.hasEnded { try? pane.forget() }
    }

    /// Brings the agent to rest that the turn before has left: its process died, and what it had sent may still be at work.
    /// - Returns: `false` where this turn is to end before that.
    private func resynchronise(_ pane: TmuxPane, _ screen: Screen, _ mark: TurnMark) throws(TurnFault) -> Bool {
        turn.say(.starting, "the turn before was cut off; it is being interrupted")
        let deadline = Monotonic.now + agent.cancelTimeout.milliseconds
        let isReady = try TmuxInterruption(agent, pane, screen).run(until: deadline) { turn.isInterrupted || turn.isTerminated }
        if isReady {
            try pane.forget()
            try? turn.events.append("resynchronised", ["turn": .string(mark.turn)])
            return true
        }
        if turn.isInterrupted || turn.isTerminated { return false }
        pane.end(for: turn)
        throw TurnFault(
            "agent_busy", "the agent did not end its last turn within \(agent.cancelTimeout) of being told to; it was ended and is replaced",
            retryable: true)
    }

    /// Nothing was sent yet.
    private static let cancelled = ReplyRecord(text: "", stopReason: "cancelled")

    /// How long the agent may take to show what was pasted, before Enter.
    private static let echo = (quiet: TimeSpan(milliseconds: 150), most: TimeSpan.seconds(5))

    private func send(_ text: String, to pane: TmuxPane, _ screen: Screen) throws(TurnFault) -> TurnMark {
        // An earlier try may have got as far as the input line, or a person.
        try pane.press(agent.clearKeys)
        try screen.settle(quiet: Self.echo.quiet, atMost: Self.echo.most)
        try pane.makeRoom()
        let position = try pane.position()
        guard !text.isEmpty else { throw TurnFault("empty_prompt", "nothing of the prompt can be typed") }
        var mark = TurnMark(turn: turn.record.id.text, isSent: false, line: position.line, offset: screen.output.size)
        try turn.willPrompt()
        try pane.paste(text, mark: mark)
        try screen.settle(quiet: Self.echo.quiet, atMost: Self.echo.most)
        mark.isSent = true
        mark.at = .now
        turn.isPromptOut = true
        try pane.press(["Enter"], mark: mark)
        return mark
    }
}
