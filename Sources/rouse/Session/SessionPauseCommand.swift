import ArgumentParser
import SpoolFormat

struct SessionPauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Take a session's prompts, and start none.",
        discussion: "A turn that is under way goes on. rouse session resume starts what has queued.")

    @OptionGroup var arguments: SessionVerbArguments

    func run() throws { try arguments.perform(.pause) }
}
