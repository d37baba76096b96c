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

    init(_ turn: Turn) {
        self.turn = turn
        agent = turn.agent
    }

    mutating func run() throws(TurnFault) -> ReplyRecord {
        guard let session = turn.session, let name = turn.record.session else {
            throw TurnFault("no_session", "an agent in a terminal talks in a session; give the prompt a \"session\" instead of an \"agent\"")
        }
        let deadline = Monotonic.now + agent.ready.timeout.milliseconds
        let server = TmuxServer(in: session, session: name)
        guard let pane = try PaneSearch(turn, in: session, on: server).find(until: deadline) else { return Self.cancelled }
        let screen = try Screen(pane, for: turn)
        let mark: TurnMark
        if let old = try pane.mark(), old.turn == turn.record.id.text, old.isSent {
            // An earlier try of this turn has sent the prompt, and died.
            mark = old
            try? turn.events.append("resumed", ["sent_at": .string(old.at.description)])
            turn.say(.working)
        } else {
            var readiness = TmuxReadiness(turn, pane, screen)
            guard try readiness.wait(until: deadline) else { return Self.cancelled }
            mark = try send(to: pane, screen)
        }
        var rest = TmuxTurn(turn, pane, screen, mark)
        let reply = try rest.follow()
        // A retry of this turn begins anew.
        if !pane.hasEnded { try? pane.forget() }
        return reply
    }

    /// Nothing was sent yet.
    private static let cancelled = ReplyRecord(text: "", stopReason: "cancelled")

    /// How long the agent may take to show what was pasted, before Enter.
    private static let echo = (quiet: TimeSpan(milliseconds: 150), most: TimeSpan.seconds(5))

    private func send(to pane: TmuxPane, _ screen: Screen) throws(TurnFault) -> TurnMark {
        try pane.makeRoom()
        let position = try pane.position()
        let text = TerminalText.typed(turn.record.text)
        guard !text.isEmpty else { throw TurnFault("empty_prompt", "nothing of the prompt can be typed") }
        // An earlier try of this turn may have got as far as the input line.
        if try pane.mark()?.turn == turn.record.id.text { try pane.press(agent.clearKeys) }
        var mark = TurnMark(turn: turn.record.id.text, isSent: false, line: position.line, offset: screen.output.size)
        try turn.willPrompt()
        try pane.paste(text, mark: mark)
        try screen.settle(quiet: Self.echo.quiet, atMost: Self.echo.most)
        mark.isSent = true
        mark.at = .now
        try pane.press(["Enter"], mark: mark)
        return mark
    }
}
