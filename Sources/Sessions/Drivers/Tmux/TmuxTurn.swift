import Glibc
import SpoolFormat

/// A turn of an agent in a terminal, from the moment the prompt is sent to its end.
struct TmuxTurn {
    private let turn: Turn
    private let agent: AgentConfiguration
    private let pane: TmuxPane
    private let screen: Screen
    private let mark: TurnMark
    /// What was typed.
    private let said: String
    private let ready: ScreenPattern?
    private let questions: [ScreenPattern]
    /// The screen counts only after it has changed so often: what it shows now is from before.
    private var floor: Int
    private var wait: Wait?
    /// The agent says itself when it is at work, and so when it no longer is: its screen may look ready meanwhile.
    private var isHeldOpen = false
    /// The agent is not at work any more, as far as can be known.
    private(set) var isAtRest = true

    private enum Wait { case said, seen }

    init(_ turn: Turn, _ pane: TmuxPane, _ screen: Screen, _ mark: TurnMark, said: String) {
        self.turn = turn
        agent = turn.agent
        self.pane = pane
        self.screen = screen
        self.mark = mark
        self.said = said
        ready = ScreenPattern(agent.ready.pattern)
        questions = agent.waitingPatterns.compactMap { ScreenPattern($0) }
        floor = screen.changes
    }

    mutating func follow() throws(TurnFault) -> ReplyRecord {
        // A turn that is taken up again may have come to its end meanwhile.
        if mark.at < screen.begun { floor = -1 }
        while true {
            if turn.isInterrupted || turn.isTerminated { return try interrupt() }
            if pane.hasEnded { return died() }
            do {
                if let report = turn.takeReport(), report.at >= mark.at, try hear(report) { return try reply("end_turn") }
                if let answer = turn.takeAnswer() { try give(answer) }
                if screen.isQuiet(for: agent.ready.quiet), screen.changes > floor, try isOver() { return try reply("end_turn") }
                screen.wait(quiet: agent.ready.quiet, until: nil)
                try screen.look()
            } catch where pane.hasEnded {
                return died()
            }
        }
    }

    // MARK: what the agent says and shows

    /// - Returns: whether the turn is over.
    private mutating func hear(_ report: TurnReport) throws(TurnFault) -> Bool {
        switch report.state {
        case .idle: return true
        case .waiting: ask(report.message ?? lastLines, .said)
        case .working, .starting:
            if report.state == .working { isHeldOpen = true }
            if wait != nil { goOn() }
            if let message = report.message { turn.say(.progress, message) }
        case .progress: turn.say(.progress, report.message)
        }
        return false
    }

    /// What a screen says that has come to rest.
    private mutating func isOver() throws(TurnFault) -> Bool {
        if questions.contains(where: { $0.matches(screen) }) {
            if wait == nil { ask(lastLines, .seen) }
            return false
        }
        if wait == .seen { goOn() }
        return !isHeldOpen && ready?.matches(screen) ?? false
    }

    private mutating func ask(_ message: String, _ kind: Wait) {
        wait = kind
        // What is seen may go away by itself: a person attached to the terminal may answer.
        floor = kind == .said ? screen.changes : floor
        turn.wait(for: WaitingRecord(.question, job: turn.record.id.text, message: message))
    }

    private mutating func goOn() {
        wait = nil
        turn.endWait()
    }

    private mutating func give(_ answer: String) throws(TurnFault) {
        try? turn.events.append("answer", ["answer": .string(answer)])
        floor = screen.changes
        try pane.type(TerminalText.typed(answer))
        try pane.press(["Enter"])
        if wait != nil { goOn() }
    }

    private var lastLines: String { screen.text.split(separator: "\n").suffix(20).joined(separator: "\n") }

    // MARK: the end

    private func reply(_ stopReason: String, _ error: ErrorRecord? = nil) throws(TurnFault) -> ReplyRecord {
        // What an agent says by its hooks can be sooner than what it shows.
        try screen.settle(quiet: min(agent.ready.quiet, .seconds(1)), atMost: .seconds(5))
        var text = TerminalText.withoutEcho(try pane.text(from: mark.line), of: said)
        text = TerminalText.withoutReadiness(text) { ready?.matches($0) ?? false }
        var reply = record(text, stopReason, error)
        if reply.text.isEmpty, reply.error == nil, stopReason == "end_turn" {
            reply.stopReason = "failed"
            reply.error = ErrorRecord("empty_reply", "the agent ended its turn without an answer")
        }
        if try pane.position().isAlternate {
            reply.warnings.append("the agent has a screen of its own: the reply is what stands there; what has left it is in the log of the session's process")
        }
        return reply
    }

    private func record(_ text: String, _ stopReason: String, _ error: ErrorRecord?) -> ReplyRecord {
        let kept = BoundedText(text)
        var reply = ReplyRecord(text: kept.text, stopReason: stopReason, error: error)
        if kept.wasCut { reply.warnings.append("the reply has the end of what the agent wrote; the log of the session's process has more") }
        return reply
    }

    /// With a stop reason that says that the prompt was sent: it is not said again by itself.
    private func died() -> ReplyRecord {
        let ending = turn.session.flatMap { PaneRecord.read(in: $0) }?.ending ?? "the agent was killed"
        let text = TerminalText.plain(screen.output.bytes(from: mark.offset, limit: BoundedText.longest))
        return record(text, "exited", ErrorRecord("agent_died", ending + " in the middle of the turn", retryable: true))
    }

    private mutating func interrupt() throws(TurnFault) -> ReplyRecord {
        try? turn.events.append("interrupt")
        let patience = turn.isTerminated ? min(agent.cancelTimeout, Self.lastPatience) : agent.cancelTimeout
        let deadline = Monotonic.now + patience.milliseconds
        do {
            if try TmuxInterruption(agent, pane, screen).run(until: deadline) { return try reply("cancelled") }
            guard !pane.hasEnded else { return died() }
            let reply = try reply("cancelled", ErrorRecord("cancel_ignored", "the agent did not end its turn within \(patience) of being told to"))
            return disobeyed(reply)
        } catch where pane.hasEnded {}
        return died()
    }

    /// An agent that does not hear goes on with what it was told to stop, and would hear no other prompt. Where it is
    /// this turn's process that is to end, there is no time for that: the next turn finds the mark, and sees to it.
    private mutating func disobeyed(_ reply: ReplyRecord) -> ReplyRecord {
        guard turn.isInterrupted else {
            isAtRest = false
            return reply
        }
        pane.end(for: turn)
        var reply = reply
        reply.error?.message += ", and was ended"
        return reply
    }

    /// When the turn's process itself is to end, before it is killed.
    private static let lastPatience = TimeSpan.seconds(5)
}
