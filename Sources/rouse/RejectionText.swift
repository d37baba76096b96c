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
