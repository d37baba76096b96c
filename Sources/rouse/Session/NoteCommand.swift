import ArgumentParser
import SpoolFormat

struct NoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "note", abstract: "Leave a session something to know, without a turn.",
        discussion: "It goes in front of the next prompt, once.")

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("The session's name.", valueName: "session"), completion: .sessionNames)
    var session: String

    @Argument(help: ArgumentHelp("What to know.", valueName: "text"))
    var text: [String]

    @OptionGroup var waiting: VerbWaiting

    func run() throws {
        let spool = try spool.open()
        _ = try SessionFiles(session, in: spool)
        try waiting.perform(on: spool, named: "note", [["note": .string(text.joined(separator: " ")), "session": .string(session)]])
    }
}
