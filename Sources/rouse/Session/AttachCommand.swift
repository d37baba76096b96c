import ArgumentParser
import Glibc
import SpoolFormat

struct AttachCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Attach this terminal to a session's agent.",
        discussion: """
            For agents in a terminal (driver tmux). What you type goes to the agent; Ctrl-B, then D, leaves it as it is. \
            Rouse goes on typing its prompts meanwhile: rouse session pause keeps it from that.
            """)

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("The session's name.", valueName: "session"), completion: .sessionNames)
    var session: String

    @Flag(name: .shortAndLong, help: "Only look.")
    var readOnly = false

    func run() throws {
        let spool = try spool.open()
        let files = try SessionFiles(session, in: spool)
        if let driver = files.driver(in: spool), driver != .tmux {
            throw CommandFault(
                "the agent of \(session) has no terminal (its driver is \(driver.rawValue)); rouse session log -f --events \(session) shows what it does",
                .unavailable)
        }
        guard let directory = files.directory, let pane = (try? directory.readJSON(SpoolLayout.Session.pane)) ?? nil,
            pane["process"].flatMap(ProcessIdentity.init)?.isAlive == true
        else {
            throw CommandFault(
                "the agent of \(session) is not running (the session is \(files.state.rawValue)); a prompt starts it, or: rouse session open \(session)",
                .unavailable)
        }
        // A socket's address is shorter than a path may be, so tmux is run where the socket is. It is a server of the
        // session's own, so attaching to it from within another tmux is well.
        guard fchdir(directory.descriptor) == 0 else { throw SystemFault("enter", directory.path) }
        unsetenv("TMUX")
        // `.` and `:` mean something in tmux, and can't be in its names.
        let name = String(session.map { $0 == "." || $0 == ":" ? "_" : $0 })
        let arguments = ["tmux", "-u", "-S", SpoolLayout.Session.tmuxSocket, "attach-session", "-t", "=" + name] + (readOnly ? ["-r"] : [])
        let pointers = arguments.map { strdup($0) } + [nil]
        execvp("tmux", pointers)
        throw CommandFault("cannot start tmux: \(String(cString: strerror(errno))); install it, or set PATH", .missingProgram)
    }
}
