import CLinux
import Glibc
import JobIndex
import SpoolFormat

/// Wakes sessions: records reasons before anything is sent, gathers them into one pending wake, and checks them again
/// when it is delivered.
///
/// A pending wake is a job with the key `wake:<session>`; its reasons are lines of its `reasons.jsonl`. A reason is
/// recorded before the rename that makes it true, so a crash between the two records it again (which changes nothing)
/// and never loses it; nothing is delivered before repairs are done.
final class Wakes {
    let ledger: Ledger
    private let sessions: SessionBook
    private let staging: Staging
    let timing: WakeTiming
    /// The marks of the reasons that a pending wake has.
    private var marks: [JobID: Set<String>] = [:]
    /// When the last reason came, by the clock that nobody sets, and the first since the last delivery.
    private var gathering: [String: (first: Int64, last: Int64)] = [:]
    /// How long what is gathered takes at least.
    private var shortestWait: TimeSpan?
    /// There are files that were not looked at yet.
    var isMoreComing: () -> Bool = { false }

    init(ledger: Ledger, sessions: SessionBook, staging: Staging, timing: WakeTiming) {
        self.timing = timing
        self.ledger = ledger
        self.sessions = sessions
        self.staging = staging
    }

    // MARK: reasons

    /// A job is about to change its state. Coordinators that answer for it, and those it names, get a reason.
    func jobWill(_ event: WakeEvent, _ task: TaskRecord, result: ResultRecord? = nil, attempts: Int = 0, by: String? = nil) throws {
        guard task.verb.runs else { return }
        if case .wake = task.verb { return }
        guard SessionName.session(ofProcessQueue: task.queue) == nil else { return }
        // What was taken back before it began has not failed.
        if let result, result.startedAt == nil, result.outcome == .cancelled || result.outcome == .superseded { return }
        let own = task.verb.turnSession
        var names: [String] = []
        for session in sessions.coordinators where session.name != own && answers(session, for: task, event) { names.append(session.name) }
        if event != .queued { names += (task.options.notify ?? []).filter { $0 != own && !names.contains($0) } }
        for name in names.sorted() where sessions[name] != nil {
            let reason = WakeReason(
                event, at: result?.finishedAt ?? .now, job: task.id.text, queue: task.queue, summary: task.verb.summary, labels: task.labels,
                parent: task.options.parent, outcome: result?.outcome, exitCode: result?.exitCode, error: result?.error,
                attempts: result?.attempts ?? attempts, by: by)
            try record(reason, for: sessions[name]!)
        }
    }

    private func answers(_ session: Session, for task: TaskRecord, _ event: WakeEvent) -> Bool {
        guard session.definition.wakeOn.contains(event) else { return false }
        let range = session.definition.coordinates
        if range.queues.contains(task.queue) { return true }
        if let parent = task.options.parent, range.parents.contains(parent) { return true }
        return !range.labels.isEmpty && range.labels.allSatisfy { task.labels[$0.key] == $0.value }
    }

    /// A wake that somebody has dropped is one reason more.
    /// - Returns: what its result says of that.
    func coalesce(_ task: TaskRecord) throws -> JSON {
        guard case .wake(let wake) = task.verb, let name = wake.sessions.first else { return .null }
        let into = try record(Self.reason(of: task), for: try sessions.find(name), mode: wake.mode)
        return ["session": .string(name), "outcome": "coalesced", "into": .string(into.text)]
    }

    /// Joins the pending wake of the session, or makes one.
    /// - Returns: that wake.
    @discardableResult
    private func record(_ reason: WakeReason, for session: Session, mode: WakeMode? = nil) throws -> JobID {
        defer { gather(session) }
        if let pending = try pending(session.name) {
            try join(pending, reason, mode: mode)
            return pending.id
        }
        let wake = Wake(
            [session.name], reason: reason.text ?? "\(reason.event.rawValue): \(reason.job ?? "")", mode: mode ?? session.definition.mode, cause: reason)
        var options = TaskOptions()
        options.timeout = session.definition.timeout
        options.grace = session.definition.grace
        let task = TaskRecord(
            id: staging.newID("wake-\(session.name)"), sequence: ledger.takeSequence(), verb: .wake(wake), queue: session.queue,
            uid: geteuid(), acceptedAt: .now, depth: 0, options: Self.keyed(options, session.name))
        try staging.originate(task, files: [SpoolLayout.Job.reasons: JSONWriter.write(reason.json, .line)])
        marks[task.id] = [reason.mark]
        return task.id
    }

    /// A wake that is for now can be joined by other reasons, and so has the key. One that is for later, or that may
    /// expire, would make them late, or take them with it.
    static func keyed(_ options: TaskOptions, _ session: String) -> TaskOptions {
        guard isForNow(options), options.expiresAt == nil, options.expiresIn == nil else { return options }
        var options = options
        options.key = Wake.key(of: session)
        options.onDuplicate = .queue
        return options
    }

    static func isForNow(_ options: TaskOptions) -> Bool { options.notBefore == nil && options.delay == nil && (options.after ?? []).isEmpty }

    /// A wake that somebody has dropped: the reason that it gives.
    static func reason(of task: TaskRecord) -> WakeReason {
        guard case .wake(let wake) = task.verb else { preconditionFailure("only wakes have reasons") }
        return wake.cause ?? WakeReason(.requested, at: task.acceptedAt, labels: task.labels, parent: task.options.parent, by: task.id.text, text: wake.reason)
    }

    /// A wake of this session that is not being delivered yet.
    func pending(_ session: String) throws -> JobRow? {
        try Self.pending(session, in: ledger.store)
    }

    static func pending(_ session: String, in store: any JobStore) throws -> JobRow? {
        try store.unfinished(key: Wake.key(of: session)).first { $0.state != .running && $0.verb == "wake" }
    }

    /// The wake that is next for a session, also one that others do not join.
    func next(_ session: Session) throws -> JobRow? {
        if let pending = try pending(session.name) { return pending }
        return try ledger.store.list(JobFilter(states: [.queued], queue: session.queue)).first { $0.verb == "wake" }
    }

    /// Adds a reason to a wake that is pending, with whatever way it may go.
    func join(_ row: JobRow, _ reason: WakeReason, mode: WakeMode? = nil) throws {
        let job = try ledger.spool.job(row.id, in: row.state)
        var known = try marks[row.id] ?? Set(ReasonFile(in: job).read().map(\.mark))
        if known.insert(reason.mark).inserted {
            try ReasonFile(in: job).append(reason)
            ledger.events.append("wake_joined", job: row.id, ["reason": .string(reason.event.rawValue), "about": .optional(reason.job) ?? .null])
        }
        marks[row.id] = known
        if mode == .interruptIfWaiting { try update(row.id, job) { $0.mode = .interruptIfWaiting } }
        if let session = SessionName.session(ofQueue: row.queue).flatMap({ sessions[$0] }) { gather(session) }
    }

    // MARK: gathering

    func gather(_ session: Session) {
        let now = Monotonic.now
        gathering[session.name] = (gathering[session.name]?.first ?? now, now)
    }

    func isGathering(_ session: Session) -> Bool {
        // What was pending when the daemon started has others on their way, too.
        if gathering[session.name] == nil { gather(session) }
        guard session.process == nil, let since = gathering[session.name] else { return false }
        let now = Monotonic.now
        // What lies in the inbox may be a reason, too.
        let last = isMoreComing() ? now : since.last
        let left = min(last + timing.quiet.milliseconds, since.first + timing.longest.milliseconds) - now
        guard left > 0 else { return false }
        shortestWait = min(shortestWait ?? .longest, TimeSpan(milliseconds: left))
        return true
    }

    /// When a wake that is gathered is to be looked at again, since this was last asked.
    func takeWait() -> TimeSpan? {
        defer { shortestWait = nil }
        return shortestWait
    }

    // MARK: delivery

    /// The reasons that still hold, of which only the newest of each job is told.
    func reasonsThatHold(of task: TaskRecord, in job: Directory) throws -> [WakeReason] {
        var reasons = try ReasonFile(in: job).read()
        if reasons.isEmpty { reasons = [Self.reason(of: task)] }
        var newest: [String: Int] = [:]
        for (index, reason) in reasons.enumerated() where try holds(reason) { newest[reason.job ?? "\(index) "] = index }
        return newest.values.sorted().map { reasons[$0] }
    }

    private func holds(_ reason: WakeReason) throws -> Bool {
        guard let id = reason.job.flatMap(JobID.init) else { return true }
        guard let row = try ledger.store.job(id) else {
            // Forgotten meanwhile: that it ended remains true.
            return reason.event == .finished || reason.event == .failed
        }
        switch reason.event {
        case .queued: return row.state == .queued || row.state == .waiting
        case .retried, .recovered: return !row.state.isFinished
        case .finished, .failed: return !row.state.isFinished || row.finishedAt == reason.at
        case .requested: return true
        }
    }

    func stale(_ task: TaskRecord, _ row: JobRow) -> ResultRecord {
        ResultRecord(
            id: task.id, outcome: .stale, error: ErrorRecord("stale", "no reason for it holds any more"), attempts: row.attempts,
            queuedAt: task.acceptedAt, finishedAt: .now)
    }

    /// - Parameter attempt: of the turn. A try that is noted of it came to nothing: the daemon died before it began.
    func willSend(_ task: TaskRecord, in job: Directory, attempt: Int) throws {
        guard let session = task.verb.turnSession else { return }
        gathering[session] = nil
        marks[task.id] = nil
        try update(task.id, job) { record in
            record.attempts.removeAll { $0.attempt == attempt }
            record.attempts.append(WakeRecord.Try(record.isInterrupting ? .interrupt : .direct, "sent", attempt: attempt))
        }
    }

    /// The attempt that has ended did not get so far as to say the prompt.
    func wasNotSent(_ task: TaskRecord, in job: Directory, _ error: ErrorRecord?) throws {
        try update(task.id, job) { record in
            guard let last = record.attempts.lastIndex(where: { $0.attempt != nil }) else { return }
            record.attempts[last].result = "failed"
            record.attempts[last].reason = error?.message
        }
    }

    /// Puts into a result what became of the wake.
    func conclude(_ task: TaskRecord, in job: Directory, wasSent: Bool, _ result: inout ResultRecord) throws {
        marks[task.id] = nil
        // It has joined another, or was concluded before a crash.
        guard result.wake == nil else { return }
        let outcome =
            switch result.outcome {
            case .stale, .expired, .superseded: result.outcome.rawValue
            default: wasSent ? "sent" : "failed"
            }
        var wake: JSONObject = ["session": .optional(task.verb.turnSession) ?? .null, "outcome": .string(outcome)]
        wake["attempts"] = .array(try record(task.id, job).attempts.map(\.json))
        let reasons = try ReasonFile(in: job).read()
        wake["reasons"] = .array(reasons.prefix(WakeText.mostTold).map(\.json))
        wake["reason_count"] = reasons.count > WakeText.mostTold ? .number(reasons.count) : nil
        result.wake = .object(wake)
    }

    // MARK: tries

    func record(_ id: JobID, _ job: Directory) throws -> WakeRecord {
        if let json = (try? job.readJSON(SpoolLayout.Job.wake)) ?? nil, let record = WakeRecord(json) { return record }
        guard case .wake(let wake) = try ledger.task(id, in: job).verb else { return WakeRecord(mode: .queue) }
        return WakeRecord(mode: wake.mode ?? wake.sessions.first.flatMap { sessions[$0] }?.definition.mode ?? .queue)
    }

    func update(_ id: JobID, _ job: Directory, _ body: (inout WakeRecord) -> Void) throws {
        let before = try record(id, job)
        var record = before
        body(&record)
        if record != before || !job.contains(SpoolLayout.Job.wake) { try job.replace(SpoolLayout.Job.wake, with: JSONWriter.write(record.json)) }
    }

    /// A wake has been accepted.
    func accepted(_ task: TaskRecord) throws {
        guard let session = task.verb.turnSession.flatMap({ sessions[$0] }) else { return }
        if session.turn != nil { try skipped(session, because: "prompt_active") }
        gather(session)
    }

    /// The session is in a turn, or has just taken another prompt: the wake's time has not come, and that is not final.
    func skipped(_ session: Session, because reason: String) throws {
        guard let row = try next(session) else { return }
        let job = try ledger.spool.job(row.id, in: row.state)
        try update(row.id, job) { if $0.attempts.isEmpty { $0.attempts.append(WakeRecord.Try(.heartbeat, "skipped", reason)) } }
    }
}
