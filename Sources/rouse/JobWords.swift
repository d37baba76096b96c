import JobIndex
import SpoolFormat

/// A job in the words of a list.
struct JobWords {
    let row: JobRow
    let now: Timestamp

    var colour: Terminal.Colour? {
        switch row.state {
        case .waiting: .yellow
        case .queued: nil
        case .running: .blue
        case .done: .green
        case .failed: .red
        }
    }

    /// How long it ran, or has been running.
    var duration: String {
        if let milliseconds = row.durationMilliseconds { return Moment.span(milliseconds) }
        if row.state == .running, let startedAt = row.startedAt { return Moment.span((now - startedAt).milliseconds) }
        return "-"
    }

    /// How it ended, or why it waits.
    var why: String {
        switch row.state {
        case .waiting: waiting
        case .queued: row.attempts > 0 ? "again, after \(row.attempts) \(row.attempts == 1 ? "attempt" : "attempts")" : "-"
        case .running: row.attempts > 1 ? "attempt \(row.attempts)" : "-"
        case .done: "-"
        case .failed:
            row.outcome.map { outcome in
                let brief = OutcomeText.brief(outcome: outcome, exitCode: row.exitCode, signal: row.signal)
                guard outcome == .failed, row.exitCode ?? 0 == 0, row.signal == nil, let code = row.errorCode else { return brief }
                return "\(brief): \(code)"
            } ?? "-"
        }
    }

    private var waiting: String {
        let until = row.until.map { " " + Moment.ahead($0, at: now) } ?? ""
        switch row.reason {
        case .delay: return "until" + (row.until.map { _ in until } ?? " later")
        case .after: return "after " + row.dependencies.joined(separator: ", ")
        case .key: return "key " + (row.key ?? "")
        case .backoff: return "tries again" + until
        case .hold: return "held"
        case nil: return "-"
        }
    }
}
