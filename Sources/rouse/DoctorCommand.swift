import ArgumentParser
import SpoolFormat

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look for what keeps a spool from working well, and say what to do.",
        discussion: "Each line is ok, warn or fail. Exits with 1 when something fails; a warning is no failure.")

    @OptionGroup var spool: SpoolOption

    @Flag(help: "Print a JSON array.")
    var json = false

    func run() throws {
        let findings = Doctor(try spool.open()).findings()
        if json {
            Output.print(.array(findings.map(\.json)))
        } else {
            findings.forEach { Output.print($0.text) }
        }
        if findings.contains(where: { $0.grade == .fail }) { throw ExitCode(.unsuccessful) }
    }
}

/// One thing that was looked at.
struct Finding {
    enum Grade: String { case ok, warn, fail }

    let grade: Grade
    let subject: String
    let message: String
    /// What to do.
    let advice: String?

    static func ok(_ subject: String, _ message: String) -> Finding { Finding(grade: .ok, subject: subject, message: message, advice: nil) }
    static func warn(_ subject: String, _ message: String, _ advice: String) -> Finding {
        Finding(grade: .warn, subject: subject, message: message, advice: advice)
    }
    static func fail(_ subject: String, _ message: String, _ advice: String) -> Finding {
        Finding(grade: .fail, subject: subject, message: message, advice: advice)
    }

    var json: JSON {
        var object: JSONObject = [
            "grade": .string(grade.rawValue), "subject": .string(subject), "message": .string(message),
        ]
        object["advice"] = .optional(advice)
        return .object(object)
    }

    var text: String {
        let colour: Terminal.Colour =
            switch grade {
            case .ok: .green
            case .warn: .yellow
            case .fail: .red
            }
        let mark = Terminal.coloured(grade.rawValue, colour) + (grade == .ok ? "  " : "")
        let lines = ("\(subject): \(message)" + (advice.map { "\n" + $0 } ?? "")).split(separator: "\n")
        return "\(mark)  " + lines.map { Terminal.plain(String($0)) }.joined(separator: "\n      ")
    }
}
