import ArgumentParser
import Daemon
import Glibc
import SpoolFormat

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve a spool: take files in, run jobs, write results.",
        discussion: """
            Runs in the foreground and writes its log to standard error and to daemon/daemon.log. SIGINT and SIGTERM \
            stop it; running jobs go on without it, and the next daemon takes them over. SIGUSR1 makes it look at \
            everything now. There is one daemon to a spool: a second one says who holds it and exits with 75.
            """)

    @OptionGroup var spool: SpoolOption

    @Flag(help: "When stopped, start nothing more and wait for the jobs that run; tasks are taken in and verbs obeyed meanwhile. A second signal ends the wait.")
    var drain = false

    @Flag(help: "When stopped, end the jobs that run.")
    var kill = false

    func validate() throws {
        if drain, kill { throw ValidationError("--drain and --kill exclude each other.") }
    }

    func run() throws {
        var settings = DaemonSettings(spool: spool.path, runner: try Program.path("rouse-runner", or: "ROUSE_RUNNER"), agent: try Program.path("rouse-agent", or: "ROUSE_AGENT"))
        settings.drains = drain
        settings.kills = kill
        try Serve.run(settings)
    }
}

/// Where the programs are.
enum Program {
    /// A program that the daemon starts: as the environment says, or beside this program.
    static func path(_ name: String, or variable: String) throws -> String {
        if let path = Terminal.environment(variable), !path.isEmpty { return path }
        guard let own = realpath("/proc/self/exe", nil) else { throw SystemFault("find this program by", "/proc/self/exe") }
        defer { free(own) }
        let directory = String(cString: own).split(separator: "/").dropLast().map { "/" + $0 }.joined()
        return directory + "/" + name
    }
}
