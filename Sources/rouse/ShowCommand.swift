import ArgumentParser
import JobIndex
import SpoolFormat

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about a job.",
        discussion: "State, why it waits, what was asked for, every attempt, the result, and the end of the log.")

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("The job's id.", valueName: "id"), completion: .jobIDs)
    var id: String

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Lines of the log.", valueName: "count"))
    var lines = 10

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if lines < 0 { throw ValidationError("--lines takes a number that is not negative.") }
    }

    func run() throws {
        let spool = try spool.open()
        let history = try JobHistory(SpoolDirectory.jobID(id), in: spool)
        if json { Output.print(object(history, spool)) } else { Output.print(text(history, spool)) }
    }

    private func object(_ history: JobHistory, _ spool: SpoolDirectory) -> JSON {
        var object: JSONObject = [
            "id": .string(history.id.text), "state": .string(history.state.rawValue),
            "directory": .string(spool.path(history.state.rawValue, history.id.text)),
        ]
        object["waits"] = history.waiting?.json
        object["task"] = history.task
        object["attempts"] = .array(history.attempts.map { attempt in
            var object: JSONObject = ["attempt": .number(attempt.number)]
            object["run"] = attempt.run
            object["exit"] = attempt.exit?.json
            return .object(object)
        })
        object["result"] = history.result
        return .object(object)
    }

    private func text(_ history: JobHistory, _ spool: SpoolDirectory) -> String {
        let now = Timestamp.now
        var fields: [(String, String)] = []
        if let row = history.row {
            let words = JobWords(row: row, now: now)
            fields.append(("state", Terminal.coloured(row.state.rawValue, words.colour)))
            fields.append(("command", Terminal.plain(row.summary)))
            fields.append(("queue", row.queue + (row.priority == 0 ? "" : ", priority \(row.priority)")))
            if let key = row.key { fields.append(("key", Terminal.plain(key))) }
            if !row.labels.isEmpty {
                fields.append(("labels", Terminal.plain(row.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))))
            }
            if let parent = row.parent { fields.append(("parent", parent)) }
            fields.append(("accepted", "\(row.acceptedAt) (\(Moment.age(of: row.acceptedAt, at: now)) ago), by uid \(row.uid)"))
            if let expiresAt = row.expiresAt { fields.append(("expires", "\(expiresAt) (\(Moment.ahead(expiresAt, at: now)))")) }
        } else {
            fields.append(("state", history.state.rawValue))
        }
        if let waiting = history.waiting { fields += self.waiting(waiting, now) }
        if spool.isPaused, history.state == .waiting || history.state == .queued { fields.append(("paused", spool.pauseText)) }
        if let run = history.attempts.last?.run, history.state == .running {
            if let deadline = run["deadline"]?.string { fields.append(("deadline", deadline)) }
            if let pid = run["runner"]?["pid"]?.int { fields.append(("runner", "pid \(pid)")) }
        }
        if let result = history.result.flatMap(ResultRecord.init) {
            fields.append(("outcome", Terminal.plain(OutcomeText(
                outcome: result.outcome, exitCode: result.exitCode, signal: result.signal, milliseconds: result.durationMilliseconds, error: nil).text)))
            if let error = result.error { fields.append(("error", FailureText.text(error))) }
            if let hint = history.result?["error"]?["hint"]?.string { fields.append(("hint", Terminal.plain(hint, keepingLines: true))) }
            for warning in result.warnings { fields.append(("warning", Terminal.plain(warning))) }
            if let used = result.resources {
                fields.append((
                    "used", "\(Size.text(used.maxRSSBytes)) resident, \(Moment.span(used.userMilliseconds)) user, "
                        + "\(Moment.span(used.systemMilliseconds)) system"))
            }
        }
        if !history.state.isFinished, let last = history.attempts.last(where: { !$0.isCurrent || history.state != .running }), let failure = FailureText.text(of: last) {
            fields.append(("attempt \(last.number)", failure))
        }
        if let others = spool.namesakeText(of: history.id) { fields.append(("see also", others)) }
        fields.append(("directory", spool.path(history.state.rawValue, history.id.text)))
        var text = Terminal.coloured(history.id.text, .bold) + FieldList(fields).text
        text += attempts(history)
        if let task = history.task { text += "\n\ntask\n" + indented(JSONWriter.text(task, .indented)) }
        if let output = history.result?["output"] { text += "\n\noutput\n" + indented(JSONWriter.text(output, .indented)) }
        if lines > 0, let last = history.attempts.last, let tail = try? LogFile(last.directory)?.tail(lines: lines), !tail.isEmpty {
            text += "\n\nlog, the last \(lines == 1 ? "line" : "\(lines) lines")\n" + indented(String(decoding: tail, as: UTF8.self))
        }
        return text
    }

    private func waiting(_ waiting: StateRecord, _ now: Timestamp) -> [(String, String)] {
        var fields: [(String, String)] = []
        if let reason = waiting.reason {
            var text =
                switch reason {
                case .delay: "its time has not come"
                case .after: "for " + waiting.waitsFor.joined(separator: ", ")
                case .key: "for the job that has its key: " + waiting.waitsFor.joined(separator: ", ")
                case .backoff: "to be tried again after a failure"
                case .hold: "held" + (waiting.heldBy.map { " by \($0)" } ?? "") + "; rouse release lets it go"
                }
            if !waiting.missing.isEmpty { text += "; no job is known by " + waiting.missing.joined(separator: ", ") }
            fields.append(("waits", Terminal.plain(text)))
        }
        if let until = waiting.until { fields.append(("until", "\(until) (\(Moment.ahead(until, at: now)))")) }
        if waiting.isHeld, waiting.reason != .hold { fields.append(("held", "by \(waiting.heldBy ?? "somebody")")) }
        return fields
    }

    private func attempts(_ history: JobHistory) -> String {
        guard !history.attempts.isEmpty else { return "" }
        var table = Table(["ATTEMPT", "STARTED", "TIME", "END"])
        for attempt in history.attempts {
            let isLive = attempt.isCurrent && history.state == .running
            let end =
                attempt.exit.map(Self.words) ?? (isLive ? "running" : "lost: its runner died")
            table.add([
                Table.Cell(String(attempt.number)), Table.Cell(attempt.run?["started_at"]?.string ?? "-"),
                Table.Cell(attempt.exit.map { Moment.span($0.durationMilliseconds) } ?? "-"), Table.Cell(end),
            ])
        }
        return "\n\n" + indented(table.text)
    }

    static func words(_ exit: ExitRecord) -> String {
        switch exit.cause {
        case .exited:
            if let signal = exit.signal { return "ended by \(SignalName.short(signal))" }
            return exit.exitCode == 0 ? "succeeded" : "exit code \(exit.exitCode ?? -1)"
        case .timeout: return "timed out"
        case .cancelled: return "cancelled"
        case .unstartable: return "could not be started: \(exit.message ?? "")"
        }
    }

    private func indented(_ text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        while lines.last?.isEmpty == true { lines.removeLast() }
        // Table lines carry colours of their own; text of files is made plain here.
        return lines.map { "  " + ($0.contains("\u{1B}[1m") ? String($0) : Terminal.plain(String($0))) }.joined(separator: "\n")
    }
}

/// Bytes in words.
enum Size {
    static func text(_ bytes: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        guard unit > 0 else { return "\(bytes) B" }
        let tenths = Int64((value * 10).rounded())
        return value < 10 ? "\(tenths / 10).\(tenths % 10) \(units[unit])" : "\(Int64(value.rounded())) \(units[unit])"
    }
}
