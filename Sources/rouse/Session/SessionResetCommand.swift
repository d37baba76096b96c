import ArgumentParser
import SpoolFormat

struct SessionResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Begin anew: a new process, and a new conversation.",
        discussion: "For a session that is broken, or confused. What was said stays in its transcript. The same as restart --fresh.")

    @OptionGroup var arguments: SessionVerbArguments

    func run() throws { try arguments.perform(.restart, with: ["fresh": true]) }
}
