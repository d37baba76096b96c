import ArgumentParser
import SpoolFormat
import SpoolWatch

struct SessionLogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Print what was said in a session, or what happened in it.",
        discussion: """
            The transcript, from the beginning. With --events: what the agent does as it does it, in the words of \
            events.jsonl and, before that, of events.1.jsonl. What one turn wrote is in its job's log: rouse log ID.
            """)

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("The session's name.", valueName: "session"), completion: .sessionNames)
    var session: String

    @Flag(help: "What happens, a JSON object on a line each.")
    var events = false

    @Flag(help: "The transcript as it is in its file, a JSON object on a line each.")
    var json = false

    @Flag(name: .shortAndLong, help: "Go on as more comes, until this command is ended.")
    var follow = false

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Only the last lines of the file; of a transcript, two are a turn.", valueName: "count"))
    var tail: Int?

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail takes a number that is not negative.") }
    }

    func run() throws {
        let spool = try spool.open()
        let session = try SessionFiles(session, in: spool)
        let bell = follow ? try Bell() : nil
        _ = bell?.watch(spool.path(SpoolLayout.sessions, session.name), for: .writes)
        let directory = spool.path(SpoolLayout.sessions, session.name)
        let log =
            events
            ? SessionLog(directory, SpoolLayout.Session.events, before: SpoolLayout.Session.eventsBefore)
            : SessionLog(directory, SpoolLayout.Session.transcript)
        var lines = try log.next()
        if let tail { lines = lines.suffix(tail) }
        while true {
            for line in lines { Output.write(json || events ? line + [0x0A] : Array(Self.words(line).utf8)) }
            guard let bell else { return }
            _ = bell.wait()
            lines = try log.next()
        }
    }

    /// One line of the transcript for people.
    private static func words(_ line: [UInt8]) -> String {
        guard let json = try? JSONReader.read(line, maximumDepth: JSONReader.maximumRecordDepth) else { return "" }
        let isAgent = json["role"]?.string == "agent"
        var head = isAgent ? "agent" : json["source"]?.string == "synthetic" ? "rouse" : "prompt"
        head += "  \(json["turn"]?.string ?? "-")  \(json["at"]?.string ?? "-")"
        if isAgent, let outcome = json["outcome"]?.string { head += "  \(outcome)" }
        var text = json["text"]?.string ?? ""
        if text.isEmpty { text = json["error"]?["message"]?.string ?? "" }
        return Terminal.coloured("── " + Terminal.plain(head), isAgent ? .green : .blue) + "\n" + Terminal.plain(text, keepingLines: true) + "\n\n"
    }
}
