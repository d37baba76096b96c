import SpoolFormat

/// A session in the words of a list.
struct SessionWords {
    private let session: SessionFiles
    private let now: Timestamp

    init(_ session: SessionFiles, now: Timestamp) {
        self.session = session
        self.now = now
    }

    var colour: Terminal.Colour? {
        switch session.state {
        case .cold: .faint
        case .idle: .green
        case .starting, .working, .stopping: .blue
        case .waiting, .paused, .locked: .yellow
        case .broken: .red
        }
    }

    /// How its last turn ended, and when.
    var last: String {
        guard let record = session.record, let outcome = record.lastOutcome else { return "-" }
        return outcome.rawValue + (record.lastTurnAt.map { " \(Moment.age(of: $0, at: now)) ago" } ?? "")
    }

    /// What somebody who looks would want to know first.
    var what: String {
        if let waiting = session.waiting { return "asks: " + Self.line(waiting.message) }
        if session.state == .broken { return "its process died too often; rouse session reset \(session.name)" }
        if let lock = session.record?.locked { return "locked" + (lock.reason.map { ": " + Self.line($0) } ?? "") }
        if session.record?.pausedBy != nil { return "paused; rouse session resume \(session.name)" }
        if session.record?.turn != nil, let message = session.turn?.message ?? session.record?.progress { return Self.line(message) }
        return session.record?.turn ?? "-"
    }

    /// The first line that says something.
    static func line(_ text: String) -> String {
        let first = text.split(separator: "\n").first { $0.contains { !$0.isWhitespace } } ?? ""
        return String(first.drop { $0.isWhitespace })
    }
}
