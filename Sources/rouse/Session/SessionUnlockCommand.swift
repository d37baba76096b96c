import ArgumentParser
import SpoolFormat

struct SessionUnlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Take prompts again.",
        discussion: "What was queued when it was locked is started.")

    @OptionGroup var arguments: SessionVerbArguments

    func run() throws { try arguments.perform(.unlock) }
}
