import ArgumentParser
import JobIndex
import SpoolFormat

struct SessionShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a session does, what it waits for, and what is queued.",
        discussion: "State and since when, the question and how to answer it, lock and pause with their reasons, the prompts that wait, and the last turns.")

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("The session's name.", valueName: "session"), completion: .sessionNames)
    var session: String

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("How many of the last turns.", valueName: "count"))
    var turns = 5

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if turns < 0 { throw ValidationError("--turns takes a number that is not negative.") }
    }

    func run() throws {
        let spool = try spool.open()
        let session = try SessionFiles(session, in: spool)
        let queued = try JobSource(spool).list(JobFilter(states: [.waiting, .queued], queue: SessionName.queue(of: session.name)))
        let last = session.directory.map { SessionTranscript($0, last: turns).turns } ?? []
        if json { return Output.print(object(session, queued, last)) }
        var text = Terminal.coloured(session.name, .bold) + FieldList(SessionFields(session, in: spool).fields).text
        if !queued.isEmpty { text += "\n\n" + indented(self.queued(queued)) }
        if !last.isEmpty { text += "\n\n" + indented(self.turns(last)) }
        Output.print(text)
        if DaemonProbe(spool: spool.path).state == .stopped {
            Terminal.complain("no daemon is running; this is what the last one knew (\(DaemonProbe.advice))")
        }
    }

    private func object(_ session: SessionFiles, _ queued: [JobRow], _ last: [SessionTranscript.Turn]) -> JSON {
        var object: JSONObject = ["session": .string(session.name), "state": .string(session.state.rawValue)]
        for member in session.record?.json.object?.members ?? [] where member.name != "queued" && member.name != "turns" { object[member.name] = member.value }
        object["definition"] = session.definition.map { .object($0.json) }
        object["waiting"] = session.waiting?.json
        object["report"] = session.turn?.json
        object["queued"] = .array(queued.map { row in
            ["id": .string(row.id.text), "state": .string(row.state.rawValue), "verb": .string(row.verb), "queued_at": .string(row.acceptedAt.description), "summary": .string(row.summary)]
        })
        object["turns"] = .array(last.map { turn in
            var object: JSONObject = ["prompt": turn.prompt]
            object["answer"] = turn.answer
            return .object(object)
        })
        return .object(object)
    }

    private func queued(_ rows: [JobRow]) -> String {
        let now = Timestamp.now
        var table = Table(["QUEUED", "VERB", "AGE", "WHY", "TEXT"], limits: [0: 40, 3: 24])
        for row in rows.prefix(20) {
            table.add([
                Table.Cell(row.id.text), Table.Cell(row.verb), Table.Cell(Moment.age(of: row.acceptedAt, at: now)),
                Table.Cell(JobWords(row: row, now: now).why), Table.Cell(row.summary),
            ])
        }
        return table.text + (rows.count > 20 ? "\nand \(rows.count - 20) more: rouse list --session \(session)" : "")
    }

    private func turns(_ turns: [SessionTranscript.Turn]) -> String {
        var table = Table(["TURN", "AT", "OUTCOME", "SAID"], limits: [0: 40])
        for turn in turns {
            let said = turn.prompt["display"]?.string ?? turn.prompt["text"]?.string ?? ""
            let text = turn.answer?["text"]?.string ?? ""
            let answer = text.isEmpty ? turn.answer?["error"]?["message"]?.string ?? "" : text
            table.add([
                Table.Cell(turn.id), Table.Cell(turn.prompt["at"]?.string ?? "-"), Table.Cell(turn.answer?["outcome"]?.string ?? "-"),
                Table.Cell("\(SessionWords.line(said).prefix(60)) → \(SessionWords.line(answer).prefix(100))"),
            ])
        }
        return table.text
    }

    private func indented(_ text: String) -> String { text.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n") }
}
