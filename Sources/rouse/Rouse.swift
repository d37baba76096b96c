import ArgumentParser
import Daemon
import Glibc

@main
struct Rouse: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rouse",
        abstract: "Turn files dropped into a directory into jobs.",
        discussion: """
            A spool is a directory. A JSON file dropped into its inbox/ becomes a job, and the job's directory moves \
            through waiting/, queued/ and running/ into done/ or failed/. These commands use the same files as \
            everybody: what they do can be done with mv, ls and cat.

            The spool is --spool DIR, or $ROUSE_SPOOL, or ./spool.

            \(ExitStatus.summary)

            Completions: rouse --generate-completion-script bash (or zsh, fish). Manual page: rouse manual | man -l -
            """,
        version: Daemon.Rouse.version,
        groupedSubcommands: [
            CommandGroup(name: "Spool", subcommands: [
                InitCommand.self, ServeCommand.self, StatusCommand.self, DoctorCommand.self, ReindexCommand.self,
                PruneCommand.self,
            ]),
            CommandGroup(name: "Jobs", subcommands: [
                DropCommand.self, ListCommand.self, ShowCommand.self, LogCommand.self, WaitCommand.self,
            ]),
            CommandGroup(name: "Control", subcommands: [
                CancelCommand.self, RetryCommand.self, RecoverCommand.self, HoldCommand.self, ReleaseCommand.self,
            ]),
            CommandGroup(name: "Agents", subcommands: [
                SessionsCommand.self, PromptCommand.self, WakeCommand.self, NoteCommand.self, AnswerCommand.self, AttachCommand.self,
                ReportCommand.self,
            ]),
            CommandGroup(name: "Reference", subcommands: [
                SchemaCommand.self, ManualCommand.self, ExitCodesCommand.self,
            ]),
        ])

    /// The parser's own faults (usage) are told by the parser; all others are told here, with their exit status.
    static func main() {
        do {
            var command = try parseAsRoot(CommandWords.arranged(Array(CommandLine.arguments.dropFirst())))
            try command.run()
        } catch {
            if let fault = CommandFault(error) {
                Terminal.complain(fault.description)
                Glibc.exit(fault.status.rawValue)
            }
            exit(withError: error)
        }
    }
}
