import SpoolFormat

/// A terminal's screen over time: what is on it, and since when it is the same.
final class Screen {
    private let pane: TmuxPane
    private let turn: Turn
    let output: OutputWatch
    private(set) var text: String
    /// How often it has become another.
    private(set) var changes = 0
    private var changedAt: Int64
    private var capturedAt: Int64
    /// When it was first looked at.
    let begun = Timestamp.now

    /// Between two looks at a screen that changes all the time; in milliseconds.
    private static let pause: Int64 = 100
    /// Between two looks where nobody tells that there is output.
    private static let patience: Int64 = 500

    init(_ pane: TmuxPane, for turn: Turn) throws(TurnFault) {
        self.pane = pane
        self.turn = turn
        output = OutputWatch(pane.record.output)
        text = try pane.screen()
        capturedAt = Monotonic.now
        changedAt = capturedAt - output.age
    }

    /// Captures the screen, if it may be another.
    func look() throws(TurnFault) {
        output.clear()
        let now = try pane.screen()
        capturedAt = Monotonic.now
        guard now != text else { return }
        text = now
        changes += 1
        changedAt = capturedAt
    }

    /// Whether it has stayed the same for so long.
    func isQuiet(for time: TimeSpan) -> Bool { Monotonic.now - changedAt >= time.milliseconds }

    /// Waits until there may be something new: on the screen, from the daemon, or that the agent has ended; or until the
    /// screen has been the same for `quiet`.
    func wait(quiet: TimeSpan, until deadline: Int64?) {
        let now = Monotonic.now
        let settles = changedAt + quiet.milliseconds
        var end = min(deadline ?? .max, settles > now ? settles : .max)
        // A screen that is painted without a pause is not looked at without a pause.
        if capturedAt + Self.pause > now {
            let heard = turn.wait(reading: [pane.ending], until: min(end, capturedAt + Self.pause))
            if !heard.isEmpty || Monotonic.now < capturedAt + Self.pause { return }
        }
        if output.descriptor < 0 { end = min(end, now + Self.patience) }
        _ = turn.wait(reading: [pane.ending] + (output.descriptor < 0 ? [] : [output.descriptor]), until: end == .max ? nil : end)
    }

    /// Waits until nothing has changed for so long; no longer than `atMost`.
    func settle(quiet: TimeSpan, atMost: TimeSpan) throws(TurnFault) {
        let deadline = Monotonic.now + atMost.milliseconds
        changedAt = Monotonic.now
        while !isQuiet(for: quiet), Monotonic.now < deadline, !pane.hasEnded {
            wait(quiet: quiet, until: deadline)
            try look()
        }
    }
}

/// What a screen is compared with.
struct ScreenPattern {
    private let regex: Regex<AnyRegexOutput>

    /// The configuration's reader has checked that it is one.
    init?(_ text: String?) {
        guard let text, let regex = try? Regex(text) else { return nil }
        self.regex = regex
    }

    func matches(_ screen: Screen) -> Bool { screen.text.contains(regex) }
    func matches(_ line: Substring) -> Bool { line.contains(regex) }
}
