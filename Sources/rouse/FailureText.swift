import JobIndex
import SpoolFormat

/// Why something failed, as a person reads it: the word for programs, then the sentence.
enum FailureText {
    static func text(_ error: ErrorRecord) -> String {
        Terminal.plain("\(error.code): \(error.message)", keepingLines: true) + (error.retryable ? " (worth another try)" : "")
    }

    /// As a record has it: `result.json`, `transcript.jsonl`.
    static func text(_ error: JSON?) -> String? {
        guard let code = error?["code"]?.string else { return nil }
        return text(ErrorRecord(code, error?["message"]?.string ?? "no reason is given", retryable: error?["retryable"]?.bool ?? false))
    }

    /// Why an attempt failed that others follow, or may: what the agent said, or else how the program ended.
    static func text(of attempt: JobHistory.Attempt) -> String? {
        if let reply = JobHistory.json(SpoolLayout.Job.reply, in: attempt.directory).flatMap(ReplyRecord.init), let error = reply.error { return text(error) }
        guard let exit = attempt.exit, exit.cause != .exited || exit.exitCode != 0 else { return nil }
        return Terminal.plain(ShowCommand.words(exit), keepingLines: true)
    }
}

/// Names and values below a heading, the values under one another.
struct FieldList {
    private var fields: [(String, String)] = []

    init(_ fields: [(String, String)]) { self.fields = fields }

    /// With a line feed in front of each.
    var text: String {
        let width = fields.map(\.0.count).max() ?? 0
        return fields.map { name, value in
            let lines = value.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n" + String(repeating: " ", count: width + 4))
            return "\n  \(name)\(String(repeating: " ", count: width - name.count))  \(lines)"
        }.joined()
    }
}
