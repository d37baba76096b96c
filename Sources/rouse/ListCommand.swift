public import ArgumentParser
import JobIndex
public import SpoolFormat

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List jobs.",
        discussion: """
            Without options: what is unfinished, and the last 20 jobs that are finished. With --json: an array of all \
            jobs that match, an object on a line each, in the order of acceptance.
            """,
        aliases: ["ls"])

    static let finishedShown = 20
    static let unfinishedShown = 200

    @OptionGroup var spool: SpoolOption

    @Flag(name: .shortAndLong, help: "All jobs that match, not only the last ones.")
    var all = false

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Only jobs in this state; may be repeated.", valueName: "state"),
        completion: .list(JobState.allCases.map(\.rawValue)))
    var state: [JobState] = []

    @Option(
        help: ArgumentHelp("Only jobs that ended so.", valueName: "outcome"),
        completion: .list(Outcome.allCases.map(\.rawValue)))
    var outcome: Outcome?

    @Option(name: .shortAndLong, help: ArgumentHelp("Only jobs of this queue.", valueName: "name"))
    var queue: String?

    @Option(help: ArgumentHelp("Only turns of this session.", valueName: "name"), completion: .sessionNames)
    var session: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("NAME=VALUE: only jobs with this label; may be repeated.", valueName: "label"))
    var label: [String] = []

    @Option(help: ArgumentHelp("Only jobs that this job dropped.", valueName: "job"), completion: .jobIDs)
    var parent: String?

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("At most so many, the newest.", valueName: "count"))
    var limit: Int?

    @Flag(help: "Print a JSON array.")
    var json = false

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit takes a number that is not negative.") }
        if session != nil, queue != nil { throw ValidationError("--session and --queue exclude each other: a session's turns are in a queue of its own.") }
        if let session, SessionName.check(session) == nil { throw ValidationError("--session takes \(SessionName.expected).") }
        for text in label where !(text.dropFirst().contains("=")) { throw ValidationError("--label takes NAME=VALUE, not \"\(text)\".") }
    }

    func run() throws {
        let spool = try spool.open()
        let source = JobSource(spool)
        if json {
            var filter = filter
            filter.newestFirst = limit != nil
            return Output.write(JobRowWriter.array(try source.list(filter)))
        }
        let (rows, left) = try rowsForPeople(source)
        if !rows.isEmpty { Output.print(table(rows)) }
        try footer(spool, rows, left: left).forEach(Output.print)
    }

    private var filter: JobFilter {
        var labels: [String: String] = [:]
        for text in label {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            labels[String(parts[0])] = String(parts[1])
        }
        return JobFilter(
            states: state.isEmpty ? nil : Set(state), queue: session.map { SessionName.queue(of: $0) } ?? queue, labels: labels, parent: parent, outcome: outcome,
            limit: limit)
    }

    /// - Returns: the rows to show, and how many unfinished ones are left out.
    private func rowsForPeople(_ source: JobSource) throws -> ([JobRow], left: Int) {
        var filter = filter
        if all || limit != nil || !state.isEmpty || outcome != nil {
            filter.newestFirst = limit != nil
            return (try source.list(filter), 0)
        }
        filter.states = [.waiting, .queued, .running]
        let unfinished = try source.list(filter)
        filter.states = [.done, .failed]
        filter.newestFirst = true
        filter.limit = Self.finishedShown
        let finished = try source.list(filter)
        // What runs is shown however much is queued.
        let others = unfinished.filter { $0.state != .running }
        let rows = unfinished.filter { $0.state == .running } + others.prefix(Self.unfinishedShown) + finished
        return (rows.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }, max(0, others.count - Self.unfinishedShown))
    }

    private func table(_ rows: [JobRow]) -> String {
        let now = Timestamp.now
        var table = Table(["ID", "STATE", "QUEUE", "AGE", "TIME", "WHY", "COMMAND"], limits: [0: 40, 2: 16, 5: 32])
        for row in rows {
            let words = JobWords(row: row, now: now)
            table.add([
                Table.Cell(row.id.text), Table.Cell(row.state.rawValue, words.colour), Table.Cell(row.queue),
                Table.Cell(Moment.age(of: row.acceptedAt, at: now)), Table.Cell(words.duration), Table.Cell(words.why),
                Table.Cell(row.summary),
            ])
        }
        return table.text
    }

    private func footer(_ spool: SpoolDirectory, _ rows: [JobRow], left: Int) throws -> [String] {
        var lines: [String] = []
        if left > 0 { lines.append("\(left) more are waiting or queued; rouse list --all shows them") }
        let backlog = try spool.backlog()
        if backlog > 0 {
            let question = DaemonProbe(spool: spool.path).state == .stopped ? "; no daemon is running (\(DaemonProbe.advice))" : ""
            lines.append("\(backlog) \(backlog == 1 ? "file" : "files") in inbox/ not yet taken in\(question)")
        }
        if spool.isPaused, backlog > 0 || rows.contains(where: { $0.state == .waiting || $0.state == .queued }) { lines.append(spool.pauseText) }
        if rows.isEmpty, backlog == 0 { lines.append("no jobs") }
        return lines
    }
}

extension JobState: ExpressibleByArgument {}
extension Outcome: ExpressibleByArgument {}
