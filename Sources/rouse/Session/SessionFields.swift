import JobIndex
import SpoolFormat

/// What `rouse session show` says of a session, field by field: first what it does, then what a person can do about it.
struct SessionFields {
    private(set) var fields: [(String, String)] = []

    init(_ session: SessionFiles, in spool: SpoolDirectory) {
        let now = Timestamp.now
        let name = session.name
        var state = Terminal.coloured(session.state.rawValue, SessionWords(session, now: now).colour)
        if let since = session.record?.since { state += " for \(Moment.age(of: since, at: now)), since \(since)" }
        add("state", state)
        add("agent", (session.agent ?? "-") + (session.driver(in: spool).map { " (\($0.rawValue))" } ?? ""))
        if let definition = session.definition, definition.role == .coordinator { add("coordinates", Self.words(definition.coordinates)) }
        if let turn = session.record?.turn { add("turn", turn + "; rouse log -f \(turn) follows it") }
        if let progress = session.turn?.message ?? session.record?.progress, session.waiting == nil { add("says", Terminal.plain(progress, keepingLines: true)) }
        if let waiting = session.waiting { ask(waiting, name, now) }
        if let lock = session.record?.locked {
            var text = "by \(lock.by), \(Moment.age(of: lock.at, at: now)) ago"
            if let reason = lock.reason { text += "; \(reason)" }
            add("locked", Terminal.plain(text))
            if let hint = lock.hint { add("hint", Terminal.plain(hint)) }
            add("unlock", "rouse session unlock \(name)")
        }
        if let paused = session.record?.pausedBy { add("paused", "by \(paused); rouse session resume \(name) goes on") }
        if session.record?.isBroken == true || session.state == .broken { addBreakage(session, spool, now) }
        if let process = session.record?.process {
            add("process", process + (session.driver(in: spool) == .tmux ? "; rouse attach \(name)" : ""))
        }
        if let record = session.record {
            add("turns", "\(record.turns), \(record.queued) queued" + (record.lastOutcome.map { "; the last one \($0.rawValue)" } ?? ""))
            addFailure(session)
            if let id = record.agentSession { add("agent's id", Terminal.plain(id)) }
        }
        add("directory", spool.path(SpoolLayout.sessions, name))
    }

    private mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

    /// Why the last turn failed, if it did.
    private mutating func addFailure(_ session: SessionFiles) {
        guard let last = session.directory.flatMap({ SessionTranscript($0, last: 1).turns.last }), let error = FailureText.text(last.answer?["error"]) else { return }
        add("error", "\(error)\nin the turn \(last.id); rouse show \(last.id)")
    }

    private mutating func addBreakage(_ session: SessionFiles, _ spool: SpoolDirectory, _ now: Timestamp) {
        let deaths = session.record?.deaths ?? []
        var text = "its process died " + (deaths.count > 1 ? "\(deaths.count) times in 15 minutes" : "too often")
        if let last = deaths.last { text = "for \(Moment.age(of: last, at: now)), since \(last): " + text }
        var filter = JobFilter(states: [.done, .failed], queue: SessionName.processQueue(of: session.name), limit: 1)
        filter.newestFirst = true
        if let row = (try? JobSource(spool).list(filter))?.last {
            let outcome = row.outcome.map { OutcomeText.brief(outcome: $0, exitCode: row.exitCode, signal: row.signal) } ?? row.state.rawValue
            let message = Terminal.plain(row.errorMessage ?? "", keepingLines: true).split(separator: "\n").map(String.init)
            text += "\nthe last time it \(outcome)" + (message.first.map { ": \($0)" } ?? "") + "; rouse log \(row.id)"
            for line in message.dropFirst() { text += "\n  \(line)" }
            // What a program says before it gives up tells more than its exit code.
            for line in Self.lastWords(of: row, in: spool, unlessIn: row.errorMessage ?? "") { text += "\n  \(line)" }
        }
        add("broken", text + "\nits prompts wait; when that is mended: rouse session reset \(session.name)")
    }

    /// - Parameter message: what is told already; it may have these words, without what steers a terminal.
    private static func lastWords(of row: JobRow, in spool: SpoolDirectory, unlessIn message: String) -> [String] {
        guard let job = try? JobFiles.directory(of: row.id, in: row.state, of: spool.root), let log = try? LogFile(job)?.tail(lines: 3) else { return [] }
        return String(decoding: log, as: UTF8.self).split(whereSeparator: \.isNewline).map { $0.prefix(500) }
            .filter { !message.contains($0.replacing(/\u{1B}\[[0-9;?]*[@-~]/, with: "")) }.map { Terminal.plain(String($0)) }
    }

    private mutating func ask(_ waiting: WaitingRecord, _ name: String, _ now: Timestamp) {
        add("asks", Terminal.plain(waiting.message, keepingLines: true))
        add("for", Moment.age(of: waiting.since, at: now))
        if waiting.options.isEmpty {
            add("answer", "rouse answer \(name) TEXT")
        } else {
            add("answer", waiting.options.map { option in
                "rouse answer \(name) \(Terminal.plain(option.id))   \(Terminal.plain(option.name))" + (option.kind.map { " (\(Terminal.plain($0)))" } ?? "")
            }.joined(separator: "\n"))
        }
    }

    private static func words(_ coordinates: SessionConfiguration.Coordinates) -> String {
        var parts: [String] = []
        if !coordinates.queues.isEmpty { parts.append("queue " + coordinates.queues.joined(separator: ", ")) }
        if !coordinates.labels.isEmpty { parts.append("label " + coordinates.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")) }
        if !coordinates.parents.isEmpty { parts.append("dropped by " + coordinates.parents.joined(separator: ", ")) }
        return Terminal.plain(parts.isEmpty ? "nothing yet" : parts.joined(separator: "; or "))
    }
}
