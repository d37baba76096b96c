import ArgumentParser
import SpoolFormat

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End jobs, or take them out of the queue.",
        discussion: "A running job gets SIGTERM, and after its grace SIGKILL, with all its processes.")

    @OptionGroup var arguments: ControlArguments

    func run() throws { try arguments.perform(.cancel) }
}
