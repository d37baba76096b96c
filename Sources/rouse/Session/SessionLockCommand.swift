import ArgumentParser
import SpoolFormat

struct SessionLockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Refuse a session's prompts.",
        discussion: "Whoever prompts it is told the reason, and the hint at what to do instead. What is queued already waits.")

    @OptionGroup var arguments: SessionVerbArguments

    @Option(help: ArgumentHelp("What to do instead.", valueName: "text"))
    var hint: String?

    func run() throws {
        var fields = JSONObject()
        fields["hint"] = .optional(hint)
        try arguments.perform(.lock, with: fields)
    }
}
