import ArgumentParser
import JobIndex
import SpoolFormat

struct SessionListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List sessions.", aliases: ["ls"])

    @OptionGroup var spool: SpoolOption

    @Flag(help: "Print a JSON array.")
    var json = false

    func run() throws {
        let spool = try spool.open()
        let sessions = SessionFiles.names(in: spool).compactMap { try? SessionFiles($0, in: spool) }
        if json {
            let objects = sessions.map { session in
                var object: JSONObject = ["session": .string(session.name)]
                for member in (session.record?.json ?? ["state": .string(session.state.rawValue), "agent": .optional(session.agent) ?? .null]).object!.members {
                    object[member.name] = member.value
                }
                return JSON.object(object)
            }
            return Output.print(.array(objects))
        }
        guard !sessions.isEmpty else { return Output.print("no sessions; open one with: rouse session open NAME --agent AGENT") }
        let now = Timestamp.now
        var table = Table(["SESSION", "STATE", "FOR", "AGENT", "TURNS", "QUEUED", "LAST", "WHAT"], limits: [0: 32, 3: 16])
        for session in sessions {
            let words = SessionWords(session, now: now)
            table.add([
                Table.Cell(session.name), Table.Cell(session.state.rawValue, words.colour),
                Table.Cell(session.record.map { Moment.age(of: $0.since, at: now) } ?? "-"), Table.Cell(session.agent ?? "-"),
                Table.Cell(String(session.record?.turns ?? 0)), Table.Cell(String(session.record?.queued ?? 0)), Table.Cell(words.last),
                Table.Cell(words.what),
            ])
        }
        Output.print(table.text)
    }
}
