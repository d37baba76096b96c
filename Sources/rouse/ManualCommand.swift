import ArgumentParser
import SpoolFormat

struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Print the manual page rouse(1).",
        discussion: """
            To read it: rouse manual | man -l -
            To install it: rouse manual > /usr/local/share/man/man1/rouse.1
            """)

    func run() throws {
        guard let help = try? JSONReader.read(Rouse._dumpHelp()), let command = help["command"] else {
            throw CommandFault("the parser does not describe its commands", .software)
        }
        Output.print(ManualPage(command).text)
    }
}

/// The manual page in mdoc(7), from what the argument parser knows of the commands.
struct ManualPage {
    private(set) var text = ""

    init(_ command: JSON) {
        put(".Dd November 21, 2026", ".Dt ROUSE 1", ".Os", ".Sh NAME", ".Nm rouse")
        put(".Nd " + Self.escaped(command["abstract"]?.string ?? "", ending: false))
        put(".Sh SYNOPSIS", ".Nm rouse", ".Ar command", ".Op Ar options")
        put(".Sh DESCRIPTION")
        paragraphs(command["discussion"])
        put(".Sh COMMANDS")
        for inner in command["subcommands"]?.array ?? [] where inner["commandName"]?.string != "help" { section(inner) }
        put(".Sh ENVIRONMENT", ".Bl -tag -width Ds")
        for (name, meaning) in [
            ("ROUSE_SPOOL", "The spool, where --spool does not name one."),
            ("ROUSE_JOB_ID", "Within a job: what it drops gets this as its parent."),
            ("ROUSE_SESSION", "Within a session's agent: which one it is, for rouse report."),
            ("ROUSE_PATIENCE", "How long a command that drops waits for a daemon that is busy to take it in. (default: 2s)"),
            ("ROUSE_WATCH", "poll looks at directories again and again instead of waiting for inotify."),
            ("NO_COLOR", "No colours, on a terminal either."),
        ] { put(".It Ev \(name)", Self.escaped(meaning)) }
        put(".El", ".Sh FILES")
        put(".Bl -tag -width Ds")
        for (name, meaning) in [
            ("spool/inbox/", "Drop tasks here."), ("spool/done/, spool/failed/", "Finished jobs, with result.json and log."),
            ("spool/sessions/", "Conversations with agents: what each does, waits for, and has said."),
            ("spool/config/", "Queues, schedules, agents and sessions."), ("spool/README.md", "What is where."),
        ] { put(".It Pa \(name)", Self.escaped(meaning)) }
        put(".El", ".Sh EXIT STATUS", ".Bl -tag -width 4n")
        for status in ExitStatus.allCases { put(".It \(status.rawValue)", Self.escaped(status.meaning)) }
        put(".El", ".Pp", Self.escaped(ExitStatus.ofWait))
        put(".Sh EXAMPLES", ".Bd -literal")
        put("rouse init spool && rouse serve &", "rouse drop -- make test", "rouse drop --queue night --delay 2h -c 'make clean && make'",
            "echo '{\"run\": [\"make\", \"test\"]}' | rouse drop --wait", "rouse list --state failed", "rouse log -f ID", "rouse prompt coder --wait 'Is the build green?'", "rouse session show coder", "mv spool/failed/ID spool/inbox/")
        put(".Ed")
    }

    private mutating func put(_ lines: String...) { for line in lines { text += (text.isEmpty ? "" : "\n") + line } }

    private mutating func section(_ command: JSON, of parent: String = "") {
        guard let own = command["commandName"]?.string, command["shouldDisplay"]?.bool != false else { return }
        let name = parent + own
        put(".Ss rouse " + Self.escaped(name))
        defer { for inner in command["subcommands"]?.array ?? [] where inner["commandName"]?.string != "help" { section(inner, of: name + " ") } }
        if let abstract = command["abstract"]?.string { put(Self.escaped(abstract)) }
        paragraphs(command["discussion"])
        let arguments = (command["arguments"]?.array ?? []).filter { argument in
            let known = ["help", "version"]
            let names = argument["names"]?.array?.compactMap { $0["name"]?.string } ?? []
            return argument["shouldDisplay"]?.bool != false && !names.contains(where: known.contains)
        }
        guard !arguments.isEmpty else { return }
        put(".Bl -tag -width Ds")
        for argument in arguments {
            let value = argument["valueName"]?.string ?? ""
            let names = argument["names"]?.array ?? []
            if names.isEmpty {
                put(".It Ar " + Self.escaped(value) + (argument["isRepeating"]?.bool == true ? " ..." : ""))
            } else {
                let flags = names.map { name in
                    let isLong = name["kind"]?.string == "long"
                    return "Fl " + (isLong ? "\\-" : "") + Self.escaped(name["name"]?.string ?? "", ending: false)
                }
                let takesValue = argument["kind"]?.string == "option"
                put(".It " + flags.joined(separator: " , ") + (takesValue ? " Ar " + Self.escaped(value, ending: false) : ""))
            }
            if let abstract = argument["abstract"]?.string { put(Self.escaped(abstract)) }
        }
        put(".El")
    }

    private mutating func paragraphs(_ value: JSON?) {
        guard let text = value?.string else { return }
        for paragraph in text.split(separator: "\n\n") {
            let lines = paragraph.split(separator: "\n")
            // Lines that were broken on purpose stay lines.
            put(".Pp", lines.map { Self.escaped(String($0)) }.joined(separator: "\n.br\n"))
        }
    }

    static func escaped(_ text: String, ending: Bool = true) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            default: escaped.append(character)
            }
        }
        // A line that begins so would be a request.
        if let first = escaped.first, first == "." || first == "'" { escaped = "\\&" + escaped }
        return escaped
    }
}
