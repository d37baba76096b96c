import SpoolFormat

/// Brings an agent that is at work back to its empty input line.
struct TmuxInterruption {
    private let agent: AgentConfiguration
    private let pane: TmuxPane
    private let screen: Screen
    private let ready: ScreenPattern?

    init(_ agent: AgentConfiguration, _ pane: TmuxPane, _ screen: Screen) {
        self.agent = agent
        self.pane = pane
        self.screen = screen
        ready = ScreenPattern(agent.ready.pattern)
    }

    /// - Parameter isGivenUp: whether there is no use in it any more.
    /// - Returns: whether the agent waits for a prompt now.
    func run(until deadline: Int64, unless isGivenUp: () -> Bool = { false }) throws(TurnFault) -> Bool {
        try pane.press(agent.interruptKeys)
        while !pane.hasEnded {
            // Some put the prompt back into the input line, and look ready, or do not, with it there. So the line is
            // emptied before the screen counts, and again when more has come.
            try settle(until: deadline)
            try pane.press(agent.clearKeys)
            try settle(until: deadline)
            if screen.isQuiet(for: agent.ready.quiet), ready?.matches(screen) ?? true { return true }
            let seen = screen.changes
            while screen.changes == seen, !pane.hasEnded {
                guard Monotonic.now < deadline, !isGivenUp() else { return false }
                screen.wait(quiet: agent.ready.quiet, until: deadline)
                try screen.look()
            }
        }
        return false
    }

    private func settle(until deadline: Int64) throws(TurnFault) {
        try screen.settle(quiet: agent.ready.quiet, atMost: TimeSpan(milliseconds: max(0, deadline - Monotonic.now)))
    }
}
