import ArgumentParser
import SpoolFormat

struct SessionResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Start a paused session's prompts again.",
        discussion: "They start in the order of their priority, and then of their acceptance.")

    @OptionGroup var arguments: SessionVerbArguments

    func run() throws { try arguments.perform(.resume) }
}
