import ArgumentParser
import SpoolFormat

struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keep jobs from starting.",
        discussion: "A job that waits or is queued stays where it is until rouse release.")

    @OptionGroup var arguments: ControlArguments

    func run() throws { try arguments.perform(.hold) }
}
