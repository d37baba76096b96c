import ArgumentParser
import SpoolFormat

struct RecoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Take running jobs away from their runner and queue them again.",
        discussion: "For a job that hangs, or whose process was stopped from outside. Its attempt counts as lost.")

    @OptionGroup var arguments: ControlArguments

    func run() throws { try arguments.perform(.recover) }
}
