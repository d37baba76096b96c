import ArgumentParser
import SpoolFormat

struct SessionStopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "End a session's turn and its process.",
        discussion: "The next prompt starts it again. It is stopping until the last process has ended: rouse session show tells.")

    @OptionGroup var arguments: SessionVerbArguments

    func run() throws { try arguments.perform(.stop) }
}
