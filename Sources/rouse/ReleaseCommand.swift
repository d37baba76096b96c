import ArgumentParser
import SpoolFormat

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Let held jobs go on.",
        discussion: "The opposite of rouse hold.")

    @OptionGroup var arguments: ControlArguments

    func run() throws { try arguments.perform(.release) }
}
