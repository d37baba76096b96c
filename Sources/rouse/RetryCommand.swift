import ArgumentParser
import SpoolFormat

struct RetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Run finished jobs again.",
        discussion: "By --queue or --label only those that failed. The attempts so far are kept in attempts/. Without a daemon: mv DIR/failed/ID DIR/inbox/.")

    @OptionGroup var arguments: ControlArguments

    func run() throws { try arguments.perform(.retry) }
}
