import Glibc
import JobIndex
import SpoolFormat

/// Carries out the verbs that act on jobs: at once, with a result like every other task.
///
/// A verb stays in `queued/` until it is done. After a crash it is carried out again, and finds the jobs that it had
/// reached already as it left them.
final class Controller {
    /// So many jobs are listed one by one in a result; of more, only the count.
    private static let mostListed = 1000

    private let ledger: Ledger
    private let finisher: Finisher
    private let requeue: Requeue
    private let runners: Runners
    private let admission: Admission
    /// A job of a batch has been accepted.
    var onAccepted: (JobRow, TaskRecord) -> Void = { _, _ in }
    /// A job may be runnable now, or may have to wait.
    var reconsider: (JobID) -> Void = { _ in }

    /// A job is about to be queued.
    var onQueueing: (TaskRecord) throws -> Void = { _ in }
    /// A wake joins one that is pending; gives what its result says of that.
    var onJoining: (TaskRecord) throws -> JSON = { _ in .null }
    /// Carries out a verb that is said to a session, with the mark of this carrying out.
    var performOnSession: (TaskRecord, _ mark: String) throws -> (output: JSON?, error: ErrorRecord?) = { _, _ in (nil, nil) }

    init(ledger: Ledger, admission: Admission, finisher: Finisher, requeue: Requeue, runners: Runners) {
        self.ledger = ledger
        self.admission = admission
        self.finisher = finisher
        self.requeue = requeue
        self.runners = runners
    }

    /// Carries out the task in `queued/<id>`, or so much of it as others can wait for, and finishes it.
    /// - Returns: `false` where the rest is for the next time.
    func perform(_ task: TaskRecord) throws -> Bool {
        guard let job = try ledger.spool.jobIfThere(task.id, in: .queued) else { return true }
        // A verb that was moved back into the inbox has attempts behind it.
        let attempt = (try ledger.state(task.id, in: job)?.attempts ?? 0) + 1
        let mark = Self.mark(of: task, attempt: attempt)
        var sweep = underWay?.task == task.id ? underWay! : Sweep(task: task.id)
        var result = ResultRecord(id: task.id, outcome: .succeeded, attempts: attempt, queuedAt: task.acceptedAt, finishedAt: sweep.started)
        switch task.verb {
        case .run, .prompt, .wake: return true
        case .note, .answer, .session:
            (result.output, result.error) = try performOnSession(task, mark)
            if result.error != nil { result.outcome = .failed }
        case .tasks: result.output = try acceptBatch(task)
        case .control(let verb, let selector):
            try act(verb, selector, for: task, mark, &sweep)
            underWay = sweep.isDone ? nil : sweep
            guard sweep.isDone else { return false }
            describe(verb, selector, sweep, in: &result)
        }
        result.startedAt = sweep.started
        result.finishedAt = .now
        result.durationMilliseconds = (result.finishedAt - sweep.started).milliseconds
        try finisher.finish(task, in: .queued, result)
        return true
    }

    /// Tells one carrying out of a control job from every other. Its id does not: that is free again when the job is
    /// forgotten, and a job that is moved back into the inbox is to be carried out again.
    private static func mark(of task: TaskRecord, attempt: Int) -> String { "\(task.id) \(task.acceptedAt) \(attempt)" }

    /// How far a verb has got with the jobs that it was said for.
    private struct Sweep {
        let task: JobID
        let started = Timestamp.now
        /// Still to come, the last first; `nil` before they were looked for.
        var remaining: [JobID]?
        var count = 0
        var words = JSONObject()
        var failure: ErrorRecord?

        var isDone: Bool { remaining?.isEmpty ?? false }
    }

    private var underWay: Sweep?
    /// So many jobs are acted on before others have their turn.
    private static let batch = 200

    // MARK: tasks

    /// The batch is accepted as a whole; its jobs move to where each of them belongs.
    private func acceptBatch(_ task: TaskRecord) throws -> JSON {
        let batch = try ledger.spool.job(task.id, in: .queued)
        guard case .tasks(let tasks) = task.verb else { return .null }
        let ids = tasks.enumerated().map { index, element in JobID(element.id ?? "\(task.id).\(index)")! }
        if batch.contains(SpoolLayout.Job.jobs) {
            let jobs = try batch.directory(SpoolLayout.Job.jobs)
            for id in ids where jobs.contains(id.text) { try accept(id, of: task.id, in: jobs) }
            try batch.removeEmptyDirectory(SpoolLayout.Job.jobs)
        }
        return ["jobs": .array(ids.map { .string($0.text) })]
    }

    private func accept(_ id: JobID, of batch: JobID, in jobs: Directory) throws {
        let job = try jobs.directory(id.text)
        let task = try ledger.task(id, in: job)
        ledger.sequenceSeen(task.sequence)
        let admitted = try admission.place(task, now: .now)
        var row = JobRow(task: task, state: .queued, waiting: nil, run: nil, result: nil)
        var ending: ResultRecord?
        switch admitted.readiness {
        case .ready: break
        case .waits(let state):
            try job.replaceState(state)
            row = JobRow(task: task, state: .waiting, waiting: state, run: nil, result: nil)
        case .ends(let outcome, let error):
            var result = ResultRecord(id: id, outcome: outcome, error: error, attempts: 0, queuedAt: task.acceptedAt, finishedAt: .now)
            if admitted.isJoining { result.wake = try onJoining(task) }
            try job.write(JSONWriter.write(result.json), to: SpoolLayout.Job.result)
            row = JobRow(task: task, state: .waiting, waiting: nil, run: nil, result: nil)
            ending = result
        }
        if case .wake = task.verb, !job.contains(SpoolLayout.Job.reasons) {
            try job.write(JSONWriter.write(Wakes.reason(of: task).json, .line), to: SpoolLayout.Job.reasons)
        }
        if case .ready = admitted.readiness { try onQueueing(task) }
        try ledger.move(row, from: jobs, to: row.state, event: "accepted", ["verb": .string(task.verb.name), "batch": .string(batch.text)])
        ledger.release(id)
        supersede(admitted.supersedes, by: id)
        onAccepted(row, task)
        if let ending { try finisher.finish(task, in: .waiting, ending) }
    }

    // MARK: control verbs

    private func act(_ verb: ControlVerb, _ selector: Selector, for task: TaskRecord, _ mark: String, _ sweep: inout Sweep) throws {
        if sweep.remaining == nil {
            var states = Set(JobState.allCases)
            if case .job = selector {} else { states = Self.states(for: verb) }
            let rows = try ledger.store.select(selector, in: states).filter { $0.id != task.id && $0.runs }
            sweep.remaining = rows.map(\.id).reversed()
            sweep.count = rows.count
            if case .job(let name) = selector, rows.isEmpty {
                sweep.failure = ErrorRecord("not_found", "there is no job called \(name)")
            }
        }
        for _ in 0..<Self.batch {
            guard let id = sweep.remaining?.last else { return }
            let row = try ledger.store.job(id)
            let word: String
            if let row { word = isForeign(task, row) ? "not_allowed" : try actIfThere(verb, on: row, for: task, mark) } else { word = "gone" }
            sweep.remaining?.removeLast()
            if sweep.words.count < Self.mostListed { sweep.words[id.text] = .string(word) }
            if case .job = selector, Self.refusals.contains(word) {
                sweep.failure = ErrorRecord(word, "\(id) can't be \(Self.participle(verb)): \(row.map { Self.reason(word, $0) } ?? "it is gone")")
            }
        }
    }

    /// The states in which a verb that is said for many jobs finds something to do. What has succeeded is run again only
    /// by its own name.
    private static func states(for verb: ControlVerb) -> Set<JobState> {
        switch verb {
        case .cancel: [.waiting, .queued, .running]
        case .retry: [.failed, .waiting]
        case .recover: [.running, .failed]
        case .hold: [.waiting, .queued]
        case .release: [.waiting]
        }
    }

    private func describe(_ verb: ControlVerb, _ selector: Selector, _ sweep: Sweep, in result: inout ResultRecord) {
        if let failure = sweep.failure {
            result.outcome = .failed
            result.error = failure
        }
        if sweep.failure?.code == "not_found" { return }
        result.output = ["verb": .string(verb.rawValue), "count": .number(sweep.count), "jobs": .object(sweep.words)]
    }

    /// Words for what was not done to the one job that was named.
    private static let refusals: Set = ["not_allowed", "already_finished", "not_finished", "not_lost", "not_held", "running", "gone"]

    private static func participle(_ verb: ControlVerb) -> String {
        switch verb {
        case .cancel: "cancelled"
        case .retry: "retried"
        case .recover: "recovered"
        case .hold: "held"
        case .release: "released"
        }
    }

    private static func reason(_ word: String, _ row: JobRow) -> String {
        switch word {
        case "not_allowed": "it belongs to user \(row.uid)"
        case "already_finished": "it is finished (\(row.outcome?.rawValue ?? row.state.rawValue))"
        case "not_held": "nobody holds it"
        case "gone": "its directory is gone"
        default: "it is \(row.state.rawValue)"
        }
    }

    /// Users other than the daemon's act on their own jobs only.
    private func isForeign(_ task: TaskRecord, _ row: JobRow) -> Bool {
        task.uid != geteuid() && task.uid != 0 && task.uid != row.uid
    }

    /// A job that somebody has removed, and the index does not know of it yet, holds up no verb.
    private func actIfThere(_ verb: ControlVerb, on row: JobRow, for task: TaskRecord, _ mark: String) throws -> String {
        do { return try act(verb, on: row, for: task, mark) } catch let fault as SystemFault {
            // One that is half on its way back to the queue is not gone: it goes on first, and then the verb.
            let isOnItsWay = ledger.spool.staging.contains(Requeue.stagingName(of: row.id))
            guard fault.isMissing, !isOnItsWay, !ledger.spool.directory(of: row.state).contains(row.id.text) else { throw fault }
            return "gone"
        }
    }

    private func act(_ verb: ControlVerb, on row: JobRow, for task: TaskRecord, _ mark: String) throws -> String {
        switch verb {
        case .cancel: try cancel(row, .cancelled, by: task.id)
        case .retry: try again(row, by: mark, "retried", retry)
        case .recover: try again(row, by: mark, "recovered", recover)
        case .hold: try hold(row, by: task.id)
        case .release: try release(row)
        }
    }

    /// The newer job takes the place of these.
    func supersede(_ rows: [JobRow], by id: JobID) {
        for row in rows {
            // A job that can't be ended now keeps its key; the newer one waits for it.
            _ = try? cancel(row, .superseded, by: id)
        }
    }

    /// Ends a running job, whose outcome is then `cancelled`.
    func end(_ row: JobRow, because reason: String) {
        ledger.events.append("ending", job: row.id, ["why": .string(reason)])
        _ = try? cancel(row, .cancelled, by: row.id)
    }

    /// Ends a job, whatever it does.
    func cancel(_ id: JobID) throws {
        guard let row = try ledger.store.job(id) else { return }
        _ = try cancel(row, .cancelled, by: id)
    }

    /// The same, where nothing can be done about it if it can't be ended.
    func endLater(_ id: JobID) {
        guard let row = ledger.ask(nil, { try $0.job(id) }) else { return }
        end(row, because: "its session is gone")
    }

    private static func cancelled(by id: JobID) -> String { "it was cancelled by \(id)" }

    private func cancel(_ row: JobRow, _ ending: StateRecord.Ending, by id: JobID, mark: String? = nil) throws -> String {
        switch row.state {
        // A daemon may have died between the end of the job and that of the verb.
        case .done, .failed: return row.errorMessage == Self.cancelled(by: id) ? ending.rawValue : "already_finished"
        case .running:
            let job = try ledger.spool.job(row.id, in: .running)
            var state = try ledger.state(row.id, in: job) ?? StateRecord(attempts: row.attempts - 1)
            if state.ending == nil {
                state.ending = ending
                if let mark { state.againBy = mark }
                try job.replaceState(state)
                ledger.events.append("ending", job: row.id, ["why": .string(ending.rawValue), "by": .string(id.text)])
            }
            runners.cancel(row.id)
            return "stopping"
        case .waiting, .queued:
            let job = try ledger.spool.job(row.id, in: row.state)
            let task = try ledger.task(row.id, in: job)
            let isCancel = ending == .cancelled
            let error = isCancel
                ? ErrorRecord("cancelled", Self.cancelled(by: id))
                : ErrorRecord("superseded", "\(id), which is newer and has the same key, took its place")
            try finisher.finish(task, in: row.state, ResultRecord(
                id: row.id, outcome: isCancel ? .cancelled : .superseded, error: error, attempts: row.attempts,
                queuedAt: row.acceptedAt, finishedAt: .now))
            return ending.rawValue
        }
    }

    /// Has a job run again, once for each control job: one that was carried out already, by a daemon that died before
    /// it could say so, must not do it a second time.
    private func again(_ row: JobRow, by mark: String, _ word: String, _ act: (JobRow, String) throws -> String) throws -> String {
        let state = try ledger.state(row.id, in: try ledger.spool.job(row.id, in: row.state))
        let isDone = state?.againBy == mark && !(row.state.isFinished && state?.ending != nil)
        return isDone ? word : try act(row, mark)
    }

    private func retry(_ row: JobRow, mark: String) throws -> String {
        switch row.state {
        case .done, .failed: return try requeue.queueAgain(row, as: .retried, by: mark) ? "retried" : "not_finished"
        case .waiting where row.reason == .backoff:
            let job = try ledger.spool.job(row.id, in: .waiting)
            var state = try ledger.state(row.id, in: job) ?? StateRecord(attempts: row.attempts)
            state.until = .now
            let task = try ledger.task(row.id, in: job)
            try requeue.onQueueingAgain(task, .retried, state.attempts, String(mark.prefix { $0 != " " }))
            try job.replaceState(state)
            reconsider(row.id)
            return "retried"
        case .waiting, .queued, .running: return "not_finished"
        }
    }

    /// A job whose runner was lost, or hangs, goes back to its queue; the attempt is kept and costs no try.
    private func recover(_ row: JobRow, mark: String) throws -> String {
        switch row.state {
        case .running: return try cancel(row, .recovered, by: row.id, mark: mark) == "stopping" ? "recovering" : "not_lost"
        case .failed where row.outcome == .lost: return try requeue.queueAgain(row, as: .recovered, by: mark) ? "recovered" : "not_lost"
        case .done, .failed: return "already_finished"
        case .waiting, .queued: return "not_lost"
        }
    }

    private func hold(_ row: JobRow, by id: JobID) throws -> String {
        guard row.state == .waiting || row.state == .queued else { return row.state.isFinished ? "already_finished" : "running" }
        let job = try ledger.spool.job(row.id, in: row.state)
        let task = try ledger.task(row.id, in: job)
        var state = try ledger.state(row.id, in: job) ?? StateRecord(attempts: row.attempts)
        if state.isHeld { return "held" }
        state.isHeld = true
        state.heldBy = id.text
        state.reason = state.reason ?? .hold
        try job.replaceState(state)
        let held = JobRow(task: task, state: .waiting, waiting: state, run: nil, result: nil)
        if row.state == .queued {
            try ledger.move(held, from: ledger.spool.directory(of: .queued), to: .waiting, event: "held", ["by": .string(id.text)])
        } else {
            ledger.events.append("held", job: row.id, ["by": .string(id.text)])
            ledger.record(held)
        }
        return "held"
    }

    private func release(_ row: JobRow) throws -> String {
        guard row.state == .waiting else { return row.state.isFinished ? "already_finished" : "not_held" }
        let job = try ledger.spool.job(row.id, in: .waiting)
        guard var state = try ledger.state(row.id, in: job), state.isHeld else { return "not_held" }
        state.isHeld = false
        state.heldBy = nil
        if state.reason == .hold { state.reason = nil }
        try job.replaceState(state)
        ledger.events.append("released", job: row.id)
        reconsider(row.id)
        return "released"
    }
}
