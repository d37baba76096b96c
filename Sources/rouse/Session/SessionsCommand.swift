import ArgumentParser

struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "Show sessions, and act on them.",
        discussion: """
            A session is a lasting conversation with an agent. Its turns are jobs: rouse list --session NAME. What is \
            shown is read from sessions/NAME/, with or without a daemon; what acts is dropped as a task.
            """,
        subcommands: [
            SessionListCommand.self, SessionShowCommand.self, SessionLogCommand.self, SessionOpenCommand.self, SessionStopCommand.self,
            SessionRestartCommand.self, SessionInterruptCommand.self, SessionPauseCommand.self, SessionResumeCommand.self,
            SessionLockCommand.self, SessionUnlockCommand.self, SessionResetCommand.self,
        ],
        defaultSubcommand: nil)
}
