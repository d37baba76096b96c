import Glibc
import JobIndex
import SpoolFormat

/// Makes attempts of prompts and wakes, and results of what came of them.
final class Turns {
    private let ledger: Ledger
    private let sessions: SessionBook
    private let agents: AgentBook
    private let keepers: Keepers
    private let wakes: Wakes
    private let program: String

    init(ledger: Ledger, sessions: SessionBook, agents: AgentBook, keepers: Keepers, wakes: Wakes, program: String) {
        self.ledger = ledger
        self.sessions = sessions
        self.agents = agents
        self.keepers = keepers
        self.wakes = wakes
        self.program = program
    }

    /// The session's process is another than what is defined now: it is to end.
    var onOutdated: (Session) throws -> Void = { _ in }

    enum Verdict {
        case start(RunRecord.Program)
        /// The session does not take a turn now; nor any other of its queue.
        case later
        /// There is nothing to start any more.
        case over(ResultRecord)
    }

    // MARK: before

    /// Whether a turn starts now, and with what. Writes `prompt.json`.
    func judge(_ row: JobRow, _ task: TaskRecord, in job: Directory) throws -> Verdict {
        func failed(_ fault: TaskFault) -> Verdict {
            .over(ResultRecord(
                id: row.id, outcome: .failed, error: ErrorRecord(fault.code, fault.message + (fault.hint.map { "; \($0)" } ?? "")),
                attempts: row.attempts, queuedAt: row.acceptedAt, finishedAt: .now))
        }
        do {
            guard let name = task.verb.turnSession else { return try startOnce(task, in: job) }
            let session = try sessions.find(name)
            guard session.takesTurns else { return .later }
            _ = try sessions.directory(of: session)
            let agent = try agents.find(session.definition.agent, at: JSONPath())
            if session.isProcessRunning, session.currentProcess != session.process {
                guard try keepers.isCurrent(session, agent) else {
                    try onOutdated(session)
                    return .later
                }
                session.currentProcess = session.process
            }
            let mustStart = keepers.isNeeded(session) && !session.isProcessRunning
            var reasons: [WakeReason] = []
            if case .wake = task.verb {
                // Meanwhile its process can come up. A process that is not there yet is not started for nothing.
                if mustStart, session.process != nil || wakes.isGathering(session) {
                    if session.process == nil { try keepers.revive(session) }
                    return .later
                }
                guard !wakes.isGathering(session) else { return .later }
                reasons = try wakes.reasonsThatHold(of: task, in: job)
                if reasons.isEmpty { return .over(wakes.stale(task, row)) }
            }
            if mustStart {
                try keepers.revive(session)
                return .later
            }
            return .start(try prepare(task, row.attempts + 1, session, agent, reasons, in: job))
        } catch let fault as TaskFault {
            return failed(fault)
        }
    }

    private func prepare(_ task: TaskRecord, _ attempt: Int, _ session: Session, _ agent: AgentBook.Entry, _ reasons: [WakeReason], in job: Directory) throws -> RunRecord.Program {
        var content = try takeNotes(of: session, into: job)
        var display: String?
        var source = TurnRecord.Source.prompt
        switch task.verb {
        case .prompt(let prompt):
            content += prompt.content
            display = prompt.display
        case .wake:
            content.append(.text(WakeText.of(reasons, for: session.name, task: task)))
            source = .synthetic
        default: break
        }
        let cwd = try SessionPlace.workingDirectory(of: session, in: ledger.spool)
        let configuration = agent.configuration
        var record = TurnRecord(
            id: task.id, session: session.name, agentName: session.definition.agent, agent: agent.json,
            model: session.definition.model ?? configuration.model, cwd: cwd, agentSession: session.record.agentSession, source: source,
            content: content, display: display, reasons: Array(reasons.prefix(WakeText.mostTold)),
            lostSession: session.definition.lostSession ?? configuration.lostSession,
            summary: session.record.agentSession == nil ? nil : try Transcript(of: session.name, in: ledger.spool).summary())
        record.process = session.process
        try job.replace(SpoolLayout.Job.prompt, with: JSONWriter.write(record.json))
        let directory = try sessions.directory(of: session)
        for file in [SpoolLayout.Session.turn, SpoolLayout.Session.waiting, SpoolLayout.Session.report] { try directory.removeFile(file) }
        if case .wake = task.verb { try wakes.willSend(task, in: job, attempt: attempt) }
        return RunRecord.Program(
            arguments: [program, "turn"], cwd: cwd, environment: SessionPlace.environment(of: session, configuration))
    }

    /// Notes go in front of the next prompt. They move into its job, and so are said once, also if it is tried again.
    private func takeNotes(of session: Session, into job: Directory) throws -> [ContentBlock] {
        let directory = try sessions.directory(of: session)
        if directory.contains(SpoolLayout.Session.notes) {
            let waiting = try directory.directory(SpoolLayout.Session.notes)
            let entries = try waiting.entries().filter { $0.name.hasSuffix(".json") }
            if !entries.isEmpty {
                let own = try job.directory(makingIfMissing: SpoolLayout.Job.notes)
                for entry in entries { try waiting.rename(entry.name, to: own, as: entry.name, replacing: true) }
            }
        }
        guard job.contains(SpoolLayout.Job.notes) else { return [] }
        let own = try job.directory(SpoolLayout.Job.notes)
        let notes = try own.entries().map(\.name.display).filter { $0.hasSuffix(".json") }.compactMap { try own.readJSON($0) }
        return notes.sorted { ($0["at"]?.string ?? "") < ($1["at"]?.string ?? "") }
            .compactMap { $0["text"]?.string }.map { .text("Note: " + $0) }
    }

    private func startOnce(_ task: TaskRecord, in job: Directory) throws -> Verdict {
        guard case .prompt(let prompt) = task.verb, let name = prompt.agent else { return .later }
        let agent = try agents.find(name, at: JSONPath([.name("agent")]))
        let cwd = task.options.cwd ?? "\(ledger.spool.path)/\(JobState.running.rawValue)/\(task.id)/\(SpoolLayout.Job.work)"
        let record = TurnRecord(
            id: task.id, session: nil, agentName: name, agent: agent.json, model: agent.configuration.model, cwd: cwd, agentSession: nil,
            source: .prompt, content: prompt.content, display: prompt.display, reasons: [], lostSession: .anew, summary: nil)
        try job.replace(SpoolLayout.Job.prompt, with: JSONWriter.write(record.json))
        return .start(RunRecord.Program(arguments: [program, "turn"], cwd: task.options.cwd, environment: agent.configuration.environment))
    }

    /// A turn has taken its session's place. A wake that waits behind it was there in the same instant, or comes after it.
    func started(_ task: TaskRecord, _ name: String) throws {
        guard let session = sessions[name] else { return }
        try wakes.skipped(session, because: "prompt_race")
    }

    // MARK: after

    /// What an attempt's end means for a turn. Its exit code alone does not say.
    func outcome(of exit: ExitRecord, reply: ReplyRecord?, _ outcome: Outcome, _ error: ErrorRecord?) -> (Outcome, ErrorRecord?) {
        guard exit.cause == .exited else { return (outcome, error) }
        guard let reply else {
            if let signal = exit.signal {
                return (.failed, ErrorRecord("turn_killed", "the turn's process was ended by signal \(signal), before the prompt was said", retryable: true))
            }
            return (.failed, ErrorRecord("no_reply", "the turn's process ended without a reply; its log has its last words", retryable: true))
        }
        if reply.stopReason == "cancelled" { return (.cancelled, reply.error ?? ErrorRecord("interrupted", "the turn was interrupted")) }
        if let error = reply.error { return (.failed, error) }
        switch reply.stopReason {
        case "refusal": return (.failed, ErrorRecord("refusal", "the agent refused to go on"))
        case "max_tokens", "max_turn_requests":
            return (.failed, ErrorRecord(reply.stopReason, "the agent's turn was cut off at a limit (\(reply.stopReason))"))
        default: return (.succeeded, nil)
        }
    }

    /// A turn whose prompt was never said is tried again, so often, without using up a retry: the agent had died, or
    /// did not come up. A process that dies each time breaks the session before that, and its prompts are kept.
    static let mostUnsent = 8

    /// The turn's process was killed, by hand or for want of memory, and could tell nothing.
    func wasKilled(_ exit: ExitRecord, _ reply: ReplyRecord?) -> Bool { reply == nil && exit.cause == .exited && exit.signal != nil }

    /// Whether the agent may have heard the prompt of this attempt. After a power cut also what was written down may be
    /// gone.
    func mayHaveBeenSaid(in job: Directory) -> Bool {
        guard !job.contains(SpoolLayout.Job.said) else { return true }
        return ((try? job.readRun()) ?? nil)?.runner.bootID != ProcessIdentity.currentBootID
    }

    /// Whether the agent has heard the prompt in any attempt, as far as is known.
    private func wasSaid(in job: Directory) -> Bool {
        func isSaid(_ attempt: Directory) -> Bool {
            reply(in: attempt).map { $0.stopReason != "error" } ?? attempt.contains(SpoolLayout.Job.said)
        }
        if isSaid(job) { return true }
        guard job.contains(SpoolLayout.Job.attempts), let attempts = try? job.directory(SpoolLayout.Job.attempts) else { return false }
        return ((try? attempts.entries()) ?? []).contains { (try? attempts.directory($0.name)).map(isSaid) ?? false }
    }

    /// Notes that the prompt was not said, where it was not. - Returns: whether trying again may help.
    func notedAsUnsent(_ task: TaskRecord, _ exit: ExitRecord, _ reply: ReplyRecord?, _ error: ErrorRecord?, in job: Directory) throws -> Bool {
        guard reply?.stopReason == "error" || wasKilled(exit, reply) else { return false }
        if case .wake = task.verb { try wakes.wasNotSent(task, in: job, error) }
        return error?.retryable == true
    }

    func reply(in job: Directory) -> ReplyRecord? { ((try? job.readJSON(SpoolLayout.Job.reply)) ?? nil).flatMap(ReplyRecord.init) }

    /// Fills a result with what the agent answered, and writes the turn to its session. Done again after a crash, it
    /// changes nothing.
    func conclude(_ task: TaskRecord, in job: Directory, _ result: inout ResultRecord) throws {
        let reply = reply(in: job)
        let prompt = ((try? job.readJSON(SpoolLayout.Job.prompt)) ?? nil).flatMap { try? TurnRecord.read($0) }
        if let reply {
            if result.output == nil { result.output = ["text": .string(reply.text), "stop_reason": .string(reply.stopReason)] }
            result.warnings += reply.warnings
            if reply.isAnew { result.warnings.append("the agent did not know the conversation any more, and began anew") }
        }
        if case .wake = task.verb { try wakes.conclude(task, in: job, wasSent: wasSaid(in: job), &result) }
        guard let name = task.verb.turnSession, let session = sessions[name], let prompt, result.attempts > 0,
            result.startedAt != nil || reply != nil || result.outcome == .lost
        else {
            result.usage = reply?.usage
            return
        }
        let mark = "\(result.id)#\(result.attempts)"
        if session.record.lastTurn == mark { result.usage = session.record.lastUsage } else { try count(reply, mark, session, &result) }
        _ = try sessions.directory(of: session)
        try Transcript(of: name, in: ledger.spool).append(prompt, reply, result)
        let directory = try ledger.spool.sessions.directory(name)
        for file in [SpoolLayout.Session.turn, SpoolLayout.Session.waiting, SpoolLayout.Session.report] { try directory.removeFile(file) }
    }

    /// An attempt is over, and another follows: what was said in it is said.
    func retrying(_ task: TaskRecord, _ exit: ExitRecord, _ outcome: Outcome, _ error: ErrorRecord?, in job: Directory) throws {
        guard let reply = reply(in: job), reply.stopReason != "error" else { return }
        var result = ResultRecord(
            id: task.id, outcome: outcome, error: error, attempts: exit.attempt, queuedAt: task.acceptedAt, finishedAt: exit.finishedAt)
        result.take(exit)
        // A wake's own outcome is told at its end.
        result.wake = .null
        try conclude(task, in: job, &result)
    }

    private func count(_ reply: ReplyRecord?, _ mark: String, _ session: Session, _ result: inout ResultRecord) throws {
        var record = session.record
        if let reply {
            // Of another conversation nothing has been counted.
            let isTheSame = !reply.isAnew && reply.agentSession != nil && reply.agentSession == record.agentSession
            if let id = reply.agentSession { record.agentSession = id }
            if var usage = reply.usage {
                let total = usage
                let difference = usage.since(isTheSame ? record.usageTotal : nil)
                if reply.isUsageCumulative { (usage.inputTokens, usage.outputTokens) = (difference.inputTokens, difference.outputTokens) }
                if reply.isCostCumulative { usage.costUSD = difference.costUSD }
                if reply.isUsageCumulative || reply.isCostCumulative { record.usageTotal = total }
                result.usage = usage
            }
            if reply.stopReason != "error", !record.isOpened {
                record.isOpened = true
                ledger.events.append("session_opened", job: result.id, ["session": .string(session.name), "agent": .string(session.definition.agent)])
            }
        }
        record.turns += 1
        record.lastOutcome = result.outcome
        record.lastTurnAt = result.finishedAt
        record.lastTurn = mark
        record.lastUsage = result.usage
        if result.outcome == .succeeded { record.deaths = [] }
        session.record = record
        try sessions.directory(of: session).replace(SpoolLayout.Session.state, with: JSONWriter.write(record.json))
        sessions.touch(session)
    }
}
