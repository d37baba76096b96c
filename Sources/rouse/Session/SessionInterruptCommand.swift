import ArgumentParser
import SpoolFormat

struct SessionInterruptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interrupt", abstract: "End a session's turn, and leave its agent.",
        discussion: "The turn ends as cancelled, within the agent's cancel_timeout.")

    @OptionGroup var arguments: SessionVerbArguments

    func run() throws { try arguments.perform(.interrupt) }
}
