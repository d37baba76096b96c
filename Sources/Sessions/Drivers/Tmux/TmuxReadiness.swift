import SpoolFormat

/// Waits until an agent can be typed to, and accepts the dialogs that it shows at its start.
struct TmuxReadiness {
    private let turn: Turn
    private let pane: TmuxPane
    private let screen: Screen
    private let pattern: ScreenPattern?
    private var dialogs: [(pattern: ScreenPattern, keys: [String], name: String, left: Int)]

    /// How often a dialog is answered: one that comes back is not one that can be answered so.
    private static let mostAnswers = 3

    init(_ turn: Turn, _ pane: TmuxPane, _ screen: Screen) {
        self.turn = turn
        self.pane = pane
        self.screen = screen
        let ready = turn.agent.ready
        pattern = ScreenPattern(ready.pattern)
        dialogs = ready.dialogs.compactMap { dialog in
            ScreenPattern(dialog.pattern).map { ($0, dialog.keys, dialog.pattern, Self.mostAnswers) }
        }
    }

    /// - Returns: `false` where the turn is to end before it has begun.
    mutating func wait(until deadline: Int64) throws(TurnFault) -> Bool {
        let quiet = turn.agent.ready.quiet
        let isKnown = try pane.hasBeenReady()
        while true {
            if turn.isInterrupted || turn.isTerminated { return false }
            if pane.hasEnded {
                let record = PaneRecord.read(in: turn.session!) ?? pane.record
                throw TurnFault(turn.keeper?.awaitEnding(turn) ?? record.error)
            }
            // A dialog can be over the input line; so it comes first.
            if screen.isQuiet(for: quiet) {
                if !isKnown, let index = dialogs.firstIndex(where: { $0.left > 0 && $0.pattern.matches(screen) }) {
                    try accept(index)
                } else if isReady {
                    if !isKnown { try pane.noteReady() }
                    return true
                }
            }
            guard Monotonic.now < deadline else { throw notReady }
            screen.wait(quiet: quiet, until: deadline)
            try screen.look()
        }
    }

    /// There is a pattern: the configuration's reader sees to it.
    private var isReady: Bool { pattern?.matches(screen) ?? false }

    private mutating func accept(_ index: Int) throws(TurnFault) {
        dialogs[index].left -= 1
        try? turn.events.append("dialog", ["pattern": .string(dialogs[index].name), "keys": .array(dialogs[index].keys.map(JSON.string))])
        try pane.press(dialogs[index].keys)
        try screen.settle(quiet: turn.agent.ready.quiet, atMost: .seconds(5))
    }

    private var notReady: TurnFault {
        let lines = screen.text.split(separator: "\n").suffix(3).joined(separator: " / ")
        return TurnFault(
            "not_ready", "the agent was not ready within \(turn.agent.ready.timeout); its screen ends with: \(lines.prefix(300))", retryable: true)
    }
}
