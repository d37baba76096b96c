import SpoolFormat

/// Why a task is not taken, as a person reads it:
///
///     job.json:3:5: timeout is 90, not a duration such as "90s" …
///       code: bad_value
///       field: timeout
///       expected: a duration …
///       hint: write "90s" for 90 seconds
struct RejectionText {
    let text: String

    /// What is said where the reason is not there: the disk was full, or the daemon ended before it wrote it.
    static func missing(_ name: String, in spool: String) -> String {
        "\(name) was rejected, and no reason is there yet; the file is \(spool)/\(SpoolLayout.rejected)/\(name): "
            + "rouse doctor tells what keeps the daemon from writing one, and mv it to \(spool)/\(SpoolLayout.inbox)/ has it looked at again"
    }

    init(_ record: RejectionRecord) { self.init(record.json) }

    /// From the content of a `.error.json`.
    init(_ record: JSON) {
        let place = record["where"]
        var text = place?["file"]?.string ?? "task"
        if let line = place?["line"]?.int, let column = place?["column"]?.int { text += ":\(line):\(column)" }
        text += ": " + (record["message"]?.string ?? record["code"]?.string ?? "no reason is given")
        if let code = record["code"]?.string { text += "\n  code: \(code)" }
        if let field = place?["field"]?.string { text += "\n  field: \(field)" }
        if let expected = record["expected"]?.string { text += "\n  expected: \(expected)" }
        if let hint = record["hint"]?.string { text += "\n  hint: \(hint)" }
        self.text = text
    }
}
