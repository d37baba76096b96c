import CLinux
import Glibc
import SpoolFormat

/// The terminal with the agent in it, as a turn sees it.
final class TmuxPane {
    let record: PaneRecord
    private let server: TmuxServer
    /// Can be read when the agent has ended.
    let ending: Int32

    /// `nil` where the agent has ended already.
    init?(_ record: PaneRecord, on server: TmuxServer) {
        guard record.endedAt == nil, let handle = record.process.openDescriptor() else { return nil }
        self.record = record
        self.server = server
        ending = handle
    }

    deinit { close(ending) }

    var hasEnded: Bool {
        var entry = pollfd(fd: ending, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Ends the agent, which is replaced by a new one. Waits for that, so that nobody finds it once more; its wrapper
    /// kills it before its time to end is up.
    func end(for turn: Turn) {
        _ = rouse_pidfd_send_signal(ending, SIGTERM)
        let deadline = Monotonic.now + (turn.agent.grace ?? Defaults.grace).milliseconds
        while !hasEnded, Monotonic.now < deadline { _ = turn.wait(reading: [ending], until: deadline) }
    }

    // MARK: looking

    struct Position {
        /// Lines that have gone up out of the screen.
        var history: Int
        /// The cursor's line, from the screen's top.
        var cursor: Int
        /// The program has a screen of its own, of which nothing goes up.
        var isAlternate: Bool
        /// The first line that is the current one's, counted from the first line of the history.
        var line: Int { history + cursor }
    }

    func position() throws(TurnFault) -> Position {
        let words = try ask("#{history_size} #{cursor_y} #{alternate_on}").split(separator: " ").compactMap { Int($0) }
        guard words.count == 3 else { throw TurnFault("tmux_failed", "tmux does not tell where the cursor is", retryable: true) }
        return Position(history: words[0], cursor: words[1], isAlternate: words[2] == 1)
    }

    /// What a person would see.
    func screen() throws(TurnFault) -> String {
        TerminalText.tidy(try server.run(["capture-pane", "-p", "-t", server.target]))
    }

    /// What stands there from that line on, counted from the first line of the history; wrapped lines are one.
    func text(from line: Int) throws(TurnFault) -> String {
        let now = try position()
        // Of a history that is full, the beginning is gone.
        let start = now.isAlternate ? 0 : now.history >= TmuxKeeper.historyLines ? -now.history : min(line - now.history, now.cursor)
        return TerminalText.tidy(try server.run(["capture-pane", "-p", "-J", "-S", String(start), "-t", server.target]))
    }

    private func ask(_ format: String) throws(TurnFault) -> String {
        let answer = try server.run(["display-message", "-p", "-t", server.target, format])
        return answer.last == "\n" ? String(answer.dropLast()) : answer
    }

    // MARK: typing

    /// Puts text into the input line as one paste, and keeps `mark` with it.
    func paste(_ text: String, mark: TurnMark? = nil) throws(TurnFault) {
        try server.run(
            ["load-buffer", "-b", "rouse", "-", ";", "paste-buffer", "-p", "-r", "-d", "-b", "rouse", "-t", server.target] + keeping(mark),
            input: Array(text.utf8))
    }

    /// Presses keys, one after the other.
    func press(_ keys: [String], mark: TurnMark? = nil) throws(TurnFault) {
        for key in keys { try server.run(["send-keys", "-t", server.target, key] + (key == keys.last ? keeping(mark) : [])) }
    }

    /// Types a short text, as a person does: a menu may want a key and not a paste.
    func type(_ text: String) throws(TurnFault) {
        guard text.utf8.count <= 4096, !text.contains("\n") else { return try paste(text) }
        // A `;` at an argument's end would be tmux's own.
        let argument = text.hasSuffix(";") ? text.dropLast() + "\\;" : text
        try server.run(["send-keys", "-t", server.target, "-l", "--", argument])
    }

    /// Forgets what has gone up, where a turn might fill what there is room for.
    func makeRoom() throws(TurnFault) {
        if try position().history > TmuxKeeper.historyLines / 2 { try server.run(["clear-history", "-t", server.target]) }
    }

    // MARK: remembering

    /// The agent has been ready before. Its dialogs belong to its start: later, words like theirs may be a reply's.
    func hasBeenReady() throws(TurnFault) -> Bool { try ask("#{@rouse_ready}") == "1" }

    func noteReady() throws(TurnFault) { try server.run(["set-option", "-p", "-t", server.target, "@rouse_ready", "1"]) }

    /// What a turn has got to is kept with the terminal, and set in the very call that brings it there. A turn that
    /// dies and is tried again so knows whether its prompt was sent.
    func mark() throws(TurnFault) -> TurnMark? { TurnMark(try ask("#{@rouse_turn}")) }

    func forget() throws(TurnFault) { try server.run(["set-option", "-p", "-u", "-t", server.target, "@rouse_turn"]) }

    private func keeping(_ mark: TurnMark?) -> [String] {
        mark.map { [";", "set-option", "-p", "-t", server.target, "@rouse_turn", $0.text] } ?? []
    }
}

/// What a turn has got to, as it is kept with the terminal.
struct TurnMark {
    var turn: String
    /// The prompt was sent, and does not only stand in the input line.
    var isSent: Bool
    var at: Timestamp
    /// Where the reply begins: in the terminal, and in the log.
    var line: Int
    var offset: Int

    var text: String { "\(turn) \(isSent ? "sent" : "typed") \(at) \(line) \(offset)" }

    init(turn: String, isSent: Bool, at: Timestamp = .now, line: Int, offset: Int) {
        self.turn = turn
        self.isSent = isSent
        self.at = at
        self.line = line
        self.offset = offset
    }

    init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 5, let at = Timestamp(words[2]), let line = Int(words[3]), let offset = Int(words[4]) else { return nil }
        self.init(turn: words[0], isSent: words[1] == "sent", at: at, line: line, offset: offset)
    }
}
