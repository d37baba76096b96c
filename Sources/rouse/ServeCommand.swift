import ArgumentParser
import Daemon
import SpoolFormat

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve a spool: take files in, run jobs, write results.",
        discussion: """
            Runs in the foreground and writes its log to standard error and to daemon/daemon.log. SIGINT and SIGTERM \
            stop it; running jobs go on without it, and the next daemon takes them over. SIGUSR1 makes it look at \
            everything now. There is one daemon to a spool: a second one says who holds it and exits with 75.
            """)

    @OptionGroup var spool: SpoolOption

    @Flag(help: "When stopped, start nothing more and wait for the jobs that run.")
    var drain = false

    @Flag(help: "When stopped, end the jobs that run.")
    var kill = false

    func validate() throws {
        if drain, kill { throw ValidationError("--drain and --kill exclude each other.") }
    }

    func run() async throws {
        throw CommandFault("this build has no daemon", .software)
    }
}
