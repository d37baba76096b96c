import Glibc
import JobIndex
import JobRunner
import SpoolFormat

/// Makes the outcome of what has ended: another try, or a result and its place in `done/` or `failed/`.
final class Finisher {
    private let ledger: Ledger
    private let requeue: Requeue
    /// Puts a copy of a result where `reply_to` says, without holding anything up; then calls back.
    var reply: (JobID, _ path: String, _ bytes: [UInt8]) -> Void = { _, _, _ in }
    /// A job is finished, and others may have waited for that.
    var onFinished: (JobRow) -> Void = { _ in }
    /// A job is about to be finished.
    var onFinishing: (TaskRecord, ResultRecord) throws -> Void = { _, _ in }
    /// What turns of sessions need beside.
    var turns: Turns?
    private var random = SystemRandomNumberGenerator()

    init(ledger: Ledger, requeue: Requeue) {
        self.ledger = ledger
        self.requeue = requeue
    }

    /// An attempt has ended by itself, by its time limit or by request.
    func attemptEnded(_ id: JobID, _ exit: ExitRecord) throws {
        let job = try ledger.spool.job(id, in: .running)
        let task = try ledger.task(id, in: job)
        let past = try ledger.state(id, in: job) ?? StateRecord()
        if past.attempts >= exit.attempt { return try leave(task, past) }
        var (outcome, error) = exit.outcome
        if exit.cause == .cancelled {
            switch past.ending {
            case .recovered: return try runAgain(task, past, after: exit.attempt)
            case .superseded: (outcome, error) = (.superseded, ErrorRecord("superseded", "a newer job with its key took its place"))
            case .cancelled, .retried, nil: break
            }
        }
        var retries = task.retries
        if let turns, task.verb.isTurn {
            let reply = turns.reply(in: job)
            if turns.wasKilled(exit, reply), turns.mayHaveBeenSaid(in: job) {
                return try attemptLost(id, attempt: exit.attempt, exit)
            }
            (outcome, error) = turns.outcome(of: exit, reply: reply, outcome, error)
            if try turns.notedAsUnsent(task, exit, reply, error, in: job) { retries = max(retries, Turns.mostUnsent) }
        } else if let turns, outcome == .failed, SessionName.session(ofProcessQueue: task.queue) != nil {
            // Its exit code alone is the agent's, and tells nobody why.
            error = turns.reply(in: job)?.error ?? error
        }
        if outcome == .failed || outcome == .timedOut, past.failures < retries, past.ending == nil {
            if task.verb.isTurn { try turns?.retrying(task, exit, outcome, error, in: job) }
            return try backOff(task, past, exit, outcome, error)
        }
        var result = ResultRecord(
            id: id, outcome: outcome, error: error, attempts: exit.attempt, queuedAt: task.acceptedAt, finishedAt: exit.finishedAt)
        result.take(exit)
        if exit.cause == .unstartable { result.startedAt = exit.startedAt }
        readOutput(of: job, into: &result)
        if exit.logBytesLeftOut > 0 { result.warnings.append("the log was too long: \(exit.logBytesLeftOut) bytes were left out of its middle") }
        if exit.leftBehind > 0 { result.warnings.append("\(exit.leftBehind) processes were left behind and ended") }
        try finish(task, in: .running, result, at: job)
    }

    /// Nobody knows how the attempt ended: its runner was lost, or the program of a turn, which alone could have told.
    /// - Parameter exit: what the runner says, where it is the turn that was killed.
    func attemptLost(_ id: JobID, attempt: Int, _ exit: ExitRecord? = nil) throws {
        let job = try ledger.spool.job(id, in: .running)
        let task = try ledger.task(id, in: job)
        var past = try ledger.state(id, in: job) ?? StateRecord()
        if past.attempts >= attempt { return try leave(task, past) }
        func end(_ outcome: Outcome, _ error: ErrorRecord) throws {
            var result = ResultRecord(
                id: id, outcome: outcome, error: error, attempts: attempt, queuedAt: task.acceptedAt, finishedAt: exit?.finishedAt ?? .now)
            if let exit { result.take(exit) }
            try finish(task, in: .running, result)
        }
        let loss = exit?.signal.map { "the process of its turn was ended by signal \($0), and the agent may have heard the prompt" } ?? "its runner was lost"
        switch past.ending {
        case .cancelled: return try end(.cancelled, ErrorRecord("cancelled", "it was cancelled; \(loss)"))
        case .superseded: return try end(.superseded, ErrorRecord("superseded", "a newer job with its key took its place"))
        case .recovered: return try runAgain(task, past, after: attempt)
        case .retried, nil: break
        }
        past.lost += 1
        if task.onCrash == .fail {
            return try end(.lost, ErrorRecord("lost", "\(loss); on_crash is \"fail\", so it is not run again", retryable: true))
        }
        if past.lost > Defaults.crashReruns {
            return try end(.lost, ErrorRecord("lost", "\(loss), \(past.lost) times by now", retryable: true))
        }
        past.attempts = attempt
        past.reason = nil
        past.until = nil
        try requeue.onQueueingAgain(task, .recovered, attempt, nil)
        try requeue.leaveRunning(task, state: past, event: "lost", ["attempt": .number(attempt)])
    }

    /// The runner never began: the attempt did not happen.
    /// - Parameter pause: how long it waits before it is tried again, where what was in the way may still be there.
    func attemptNeverBegan(_ id: JobID, pause: TimeSpan? = nil) throws {
        let job = try ledger.spool.job(id, in: .running)
        let task = try ledger.task(id, in: job)
        var past = try ledger.state(id, in: job) ?? StateRecord()
        try job.removeFile(SpoolLayout.Job.run)
        func end(_ outcome: Outcome, _ error: ErrorRecord) throws {
            try finish(task, in: .running, ResultRecord(
                id: id, outcome: outcome, error: error, attempts: past.attempts, queuedAt: task.acceptedAt, finishedAt: .now))
        }
        switch past.ending {
        case .cancelled: return try end(.cancelled, ErrorRecord("cancelled", "it was cancelled before it began"))
        case .superseded: return try end(.superseded, ErrorRecord("superseded", "a newer job with its key took its place"))
        case .recovered, .retried, nil: past.ending = nil
        }
        past.reason = pause == nil ? nil : .backoff
        past.until = pause.map { Timestamp.now + $0 }
        try requeue.leaveRunning(task, state: past, event: "not_started", [:])
    }

    /// Goes on with a move out of `running/` that `state.json` has announced.
    func leave(_ task: TaskRecord, _ state: StateRecord) throws {
        try requeue.leaveRunning(task, state: state, event: state.reason == .backoff ? "backed_off" : "requeued", [:])
    }

    private func runAgain(_ task: TaskRecord, _ past: StateRecord, after attempt: Int) throws {
        var state = past
        state.attempts = attempt
        state.ending = nil
        state.reason = nil
        state.until = nil
        let by = past.againBy.map { String($0.prefix { $0 != " " }) }
        try requeue.onQueueingAgain(task, .recovered, attempt, by)
        try requeue.leaveRunning(task, state: state, event: "recovered", ["attempt": .number(attempt)])
    }

    private func backOff(_ task: TaskRecord, _ past: StateRecord, _ exit: ExitRecord, _ outcome: Outcome, _ error: ErrorRecord?) throws {
        var state = past
        state.attempts = exit.attempt
        state.failures += 1
        state.reason = .backoff
        let wait = (task.options.backoff ?? Backoff()).wait(
            afterFailure: state.failures, random: Double.random(in: -1...1, using: &random))
        state.until = Timestamp.now + wait
        var details: JSONObject = ["attempt": .number(exit.attempt), "outcome": .string(outcome.rawValue)]
        details["exit_code"] = .optional(exit.exitCode)
        details["signal"] = .optional(exit.signal)
        details["error"] = error?.json
        details["until"] = .optional(state.until?.description)
        try requeue.leaveRunning(task, state: state, event: "backed_off", details)
    }

    /// Writes a result for a job in any state, and moves the job where it belongs.
    /// - Parameter place: the job's directory, where it is open.
    func finish(_ task: TaskRecord, in state: JobState, _ result: ResultRecord, at place: Directory? = nil) throws {
        let job = try place ?? ledger.spool.job(task.id, in: state)
        var result = result
        if job.contains(SpoolLayout.Job.log) {
            result.log = "\(result.outcome.state.rawValue)/\(task.id)/\(SpoolLayout.Job.log)"
        }
        if task.verb.isTurn { try turns?.conclude(task, in: job, &result) }
        let bytes = JSONWriter.write(result.json)
        try job.replace(SpoolLayout.Job.result, with: bytes)
        if let path = task.options.replyTo {
            // The job stays where it is until the copy is there: a crash in between makes it again. To all who choose
            // by the index it is finished: it keeps no slot and no key, and is not started.
            ledger.record(JobRow(task: task, state: result.outcome.state, waiting: nil, run: nil, result: result))
            reply(task.id, path, bytes)
        } else {
            try settle(task, in: state, result)
        }
    }

    /// Moves a job that has its result to `done/` or `failed/`.
    func settle(_ task: TaskRecord, in state: JobState, _ result: ResultRecord) throws {
        try onFinishing(task, result)
        let row = JobRow(task: task, state: result.outcome.state, waiting: nil, run: nil, result: result)
        var details: JSONObject = ["outcome": .string(result.outcome.rawValue), "attempts": .number(result.attempts)]
        details["exit_code"] = .optional(result.exitCode)
        details["signal"] = .optional(result.signal)
        details["duration_ms"] = result.durationMilliseconds.map(JSON.int)
        details["error"] = result.error?.json
        try ledger.move(row, from: ledger.spool.directory(of: state), to: row.state, event: "finished", details)
        onFinished(row)
    }

    private func readOutput(of job: Directory, into result: inout ResultRecord) {
        let limit = Defaults.outputBytes
        do throws(SystemFault) {
            guard let (bytes, status) = try job.read(SpoolLayout.Job.output, limit: limit) else { return }
            guard status.kind == .file else { return result.warnings.append("output.json is \(status.kind.words); it is left out") }
            guard bytes.count <= limit else { return result.warnings.append("output.json is larger than \(limit) bytes; it is left out") }
            do throws(JSONFault) {
                result.output = try JSONReader.read(bytes)
            } catch {
                result.warnings.append(
                    "output.json is no JSON (line \(error.position.line), column \(error.position.column): expected \(error.expected)); it is left out")
            }
        } catch {
            result.warnings.append("output.json can't be read: \(error.reason)")
        }
    }
}
