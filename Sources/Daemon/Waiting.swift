import JobIndex
import SpoolFormat

/// Lets waiting jobs go on when what they wait for has come.
final class Waiting {
    private let ledger: Ledger
    private let finisher: Finisher
    /// A job takes the place of these.
    var onSuperseded: ([JobRow], JobID) -> Void = { _, _ in }
    /// A job is about to be queued.
    var onQueueing: (TaskRecord) throws -> Void = { _ in }
    private var pending: [JobID] = []
    private var isPending: Set<JobID> = []

    /// How many jobs are judged in one round.
    private static let batch = 200

    init(ledger: Ledger, finisher: Finisher) {
        self.ledger = ledger
        self.finisher = finisher
    }

    var hasMore: Bool { !pending.isEmpty }

    /// Has the job judged anew in this round or a later one.
    func reconsider(_ id: JobID) {
        if isPending.insert(id).inserted { pending.append(id) }
    }

    /// Has everything judged anew that waits for this job, by its id or its key, or to take over its key.
    func reconsiderWaiters(for row: JobRow) {
        guard !ledger.nobodyWaits else { return }
        let waiters: [JobRow] = ledger.ask([]) { store in
            var rows = try store.waiting(forDependency: row.id.text)
            if let key = row.key {
                rows += try store.waiting(forDependency: key)
                // Each waits for the one before it, and the first also for one that came back.
                rows += try [row.sequence, -1].compactMap { try store.nextWaiting(forKey: key, after: $0) }
            }
            return rows
        }
        for waiter in waiters { reconsider(waiter.id) }
    }

    /// Has everything judged anew that is due.
    func reconsiderDue(at now: Timestamp) {
        for row in ledger.ask([], { try $0.due(at: now, limit: Self.batch) }) { reconsider(row.id) }
    }

    func work() throws {
        let batch = Array(pending.prefix(Self.batch))
        pending.removeFirst(batch.count)
        isPending.subtract(batch)
        for (index, id) in batch.enumerated() {
            do { try judge(id) } catch {
                for id in batch[index...] { reconsider(id) }
                throw error
            }
        }
    }

    /// The job that takes over a key ends the older ones when it is accepted; a crash may have come between.
    private func supersedeOlder(_ task: TaskRecord) throws {
        guard let key = task.options.key else { return }
        let older = try ledger.store.unfinished(key: key).filter { $0.id != task.id && $0.sequence < task.sequence }
        if !older.isEmpty { onSuperseded(older, task.id) }
    }

    private func judge(_ id: JobID) throws {
        guard let row = try ledger.store.job(id), row.state == .waiting || row.state == .queued else { return }
        // What somebody has removed is not due again and again.
        guard let job = try ledger.spool.jobIfThere(id, in: row.state) else { return ledger.erase(id) }
        let task = try ledger.task(id, in: job)
        guard !task.isControl, !job.contains(SpoolLayout.Job.result) else { return }
        let past = try ledger.state(row.id, in: job) ?? StateRecord(attempts: row.attempts)
        let readiness = try Readiness.judge(task, past: past, store: ledger.store, now: .now)
        switch readiness {
        case .ready:
            guard row.state == .waiting else { return }
            var state = StateRecord(attempts: past.attempts, lost: past.lost, failures: past.failures, isRetried: past.isRetried,
                againBy: past.againBy)
            state.isHeld = false
            try job.replaceState(state)
            let queued = JobRow(task: task, state: .queued, waiting: state, run: nil, result: nil)
            if past.attempts == 0, !past.isRetried { try onQueueing(task) }
            try ledger.move(queued, from: ledger.spool.directory(of: .waiting), to: .queued, event: "queued")
        case .waits(let state):
            // What is queued was ready; that it would wait now (somebody retried a job with its key) does not matter.
            guard row.state == .waiting else { return }
            if state != past { try job.replaceState(state) }
            let waiting = JobRow(task: task, state: .waiting, waiting: state, run: nil, result: nil)
            // The index may know an older state: a crash, or a full disk, came between.
            if waiting != row { ledger.record(waiting) }
            if state.reason == .key, task.options.onDuplicate == .replace { try supersedeOlder(task) }
        case .ends(let outcome, let error):
            try finisher.finish(task, in: row.state, ResultRecord(
                id: id, outcome: outcome, error: error, attempts: past.attempts, queuedAt: task.acceptedAt, finishedAt: .now))
        }
    }
}
