public import ArgumentParser
import CLinux
import Glibc
public import SpoolFormat

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Say what an agent does: for its own hooks.",
        discussion: """
            working: it is at it. waiting: it waits for somebody's input. idle: its turn is over. progress: the state \
            stays, and there is news. The session is $ROUSE_SESSION of $ROUSE_SPOOL, which its agent has; elsewhere \
            this does nothing, so hooks can be in everybody's settings.
            """)

    @Argument(help: ArgumentHelp("working, waiting, idle or progress.", valueName: "state"), completion: .list(Self.states.map(\.rawValue)))
    var state: TurnReport.State

    @Argument(help: ArgumentHelp("What there is to say.", valueName: "message"))
    var message: [String] = []

    @Option(
        help: ArgumentHelp("Take the message from this field of the JSON object on standard input, as hooks are given it.", valueName: "field"))
    var field: String?

    @Option(help: ArgumentHelp("The session. (default: $ROUSE_SESSION)", valueName: "name"), completion: .sessionNames)
    var session: String?

    @Option(help: ArgumentHelp("The spool's directory. (default: $ROUSE_SPOOL)", valueName: "dir"), completion: .directory)
    var spool: String?

    @Flag(help: "Fail where there is no session to report for.")
    var required = false

    static let states: [TurnReport.State] = [.working, .waiting, .idle, .progress]
    /// The longest message that is kept, in bytes.
    private static let longest = 10_000

    func validate() throws {
        guard Self.states.contains(state) else { throw ValidationError("Say working, waiting, idle or progress.") }
    }

    func run() throws {
        guard let name = session ?? Terminal.environment("ROUSE_SESSION"), let path = spool ?? Terminal.environment("ROUSE_SPOOL"),
            SessionName.check(name) != nil, let directory = try? Directory(path).directory(SpoolLayout.sessions).directory(name)
        else {
            guard required else { return }
            throw CommandFault("this is in no session: $ROUSE_SESSION and $ROUSE_SPOOL, or --session and --spool, name none that is there", .missing)
        }
        let report = TurnReport(state, job: nil, message: try text())
        try directory.replace(SpoolLayout.Session.report, with: JSONWriter.write(report.json))
        // A turn that is under way looks at once, whether or not there is a daemon.
        guard let json = (try? directory.readJSON(SpoolLayout.Session.turn)) ?? nil, let process = TurnReport(json)?.process?.openDescriptor() else { return }
        defer { close(process) }
        _ = rouse_pidfd_send_signal(process, SIGUSR1)
    }

    private func text() throws -> String? {
        var text = message.joined(separator: " ")
        if let field, text.isEmpty, let json = try? JSONReader.read(try TaskText.read("-")) {
            text = json.member(atPath: field)?.string ?? ""
        }
        guard text.utf8.count > Self.longest else { return text.isEmpty ? nil : text }
        return String(decoding: text.utf8.prefix(Self.longest), as: UTF8.self)
    }
}

extension TurnReport.State: ExpressibleByArgument {}
