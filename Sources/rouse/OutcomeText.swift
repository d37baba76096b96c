import JobIndex
import SpoolFormat

/// An outcome in words: `failed with exit code 2 after 3.1s: …`.
struct OutcomeText {
    let text: String

    init(_ result: ResultRecord) {
        self.init(
            outcome: result.outcome, exitCode: result.exitCode, signal: result.signal,
            milliseconds: result.durationMilliseconds, error: result.error?.message)
    }

    init(outcome: Outcome, exitCode: Int?, signal: Int?, milliseconds: Int64?, error: String?) {
        var text = Self.brief(outcome: outcome, exitCode: exitCode, signal: signal)
        if let milliseconds { text += " after \(Moment.span(milliseconds))" }
        // An exit code or a signal has been told.
        if let error, outcome != .timedOut, outcome != .failed || (exitCode ?? 0 == 0 && signal == nil) { text += ": \(error)" }
        self.text = text
    }

    /// For a table: `failed 2`, `failed SIGSEGV`, `timed out`.
    static func brief(outcome: Outcome, exitCode: Int?, signal: Int?) -> String {
        let word = outcome.rawValue.split(separator: "_").joined(separator: " ")
        guard outcome == .failed else { return word }
        if let signal { return "\(word) by \(SignalName.short(signal))" }
        if let exitCode, exitCode != 0 { return "\(word) with exit code \(exitCode)" }
        return word
    }
}

/// Times as a table shows them.
enum Moment {
    /// A length of time with at most two units: `1h4m`, `12s`, `340ms`.
    static func span(_ milliseconds: Int64) -> String {
        guard milliseconds >= 0 else { return "0s" }
        switch milliseconds {
        case ..<1000: return "\(milliseconds)ms"
        case ..<10_000: return "\(milliseconds / 1000).\(milliseconds / 100 % 10)s"
        case ..<60_000: return "\(milliseconds / 1000)s"
        case ..<3_600_000: return "\(milliseconds / 60_000)m\(milliseconds / 1000 % 60)s"
        case ..<86_400_000: return "\(milliseconds / 3_600_000)h\(milliseconds / 60_000 % 60)m"
        default: return "\(milliseconds / 86_400_000)d\(milliseconds / 3_600_000 % 24)h"
        }
    }

    /// How long ago: whole units, the largest only.
    static func age(of instant: Timestamp, at now: Timestamp) -> String {
        let seconds = max(0, (now - instant).milliseconds / 1000)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m"
        case ..<86_400: return "\(seconds / 3600)h"
        default: return "\(seconds / 86_400)d"
        }
    }

    static func ahead(_ instant: Timestamp, at now: Timestamp) -> String {
        let left = (instant - now).milliseconds
        return left <= 0 ? "now" : "in " + span(left)
    }
}
