import ArgumentParser
import SpoolFormat

struct AnswerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Answer what a session waits for.",
        discussion: """
            A text, or one of the options by its id, kind or name; allow and reject (yes, no) are the kinds that hold \
            once. rouse session show tells the question and the options.
            """)

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("The session's name.", valueName: "session"), completion: .sessionNames)
    var session: String

    @Argument(help: ArgumentHelp("The answer.", valueName: "text"))
    var text: [String]

    @OptionGroup var waiting: VerbWaiting

    func run() throws {
        let spool = try spool.open()
        let files = try SessionFiles(session, in: spool)
        let text = text.joined(separator: " ")
        if let waiting = files.waiting, !waiting.options.isEmpty, waiting.option(for: text) == nil {
            let options = waiting.options.map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
            throw CommandFault("\"\(text)\" is none of what \(session) can be answered: \(options)", .usage)
        }
        try waiting.perform(on: spool, named: "answer", [["answer": .string(text), "session": .string(session)]])
    }
}
