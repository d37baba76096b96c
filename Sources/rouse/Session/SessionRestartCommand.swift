import ArgumentParser
import SpoolFormat

struct SessionRestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop a session, and start it again.",
        discussion: "The conversation goes on, unless --fresh says otherwise. A broken session is mended.")

    @OptionGroup var arguments: SessionVerbArguments

    @Flag(help: "Begin a new conversation.")
    var fresh = false

    func run() throws { try arguments.perform(.restart, with: fresh ? ["fresh": true] : [:]) }
}
