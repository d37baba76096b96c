import ArgumentParser
import CLinux
import Glibc
import SpoolFormat
import SpoolWatch

struct SessionLogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Print what was said in a session, or what happened in it.",
        discussion: """
            The transcript, from the beginning. With --events: what the agent does as it does it, in the words of \
            events.jsonl. What one turn wrote is in its job's log: rouse log ID.
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
        var log = SessionLog(
            spool.path(SpoolLayout.sessions, session.name) + "/" + (events ? SpoolLayout.Session.events : SpoolLayout.Session.transcript))
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

/// The whole lines of a file that grows.
private struct SessionLog {
    private let path: String
    private var offset: off_t = 0
    private var rest: [UInt8] = []

    init(_ path: String) { self.path = path }

    mutating func next() throws -> [[UInt8]] {
        let file = rouse_open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard file >= 0 else {
            if errno == ENOENT { return [] }
            throw SystemFault("open", path)
        }
        defer { close(file) }
        lseek(file, offset, SEEK_SET)
        let bytes = try TaskText.read(descriptor: file, name: path, limit: 1 << 30)
        offset += off_t(bytes.count)
        var lines = (rest + bytes).split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
        rest = lines.removeLast()
        return lines
    }
}
