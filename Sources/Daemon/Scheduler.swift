import JobIndex
import JobRunner
import SpoolFormat

/// Chooses what runs next, and starts it: first the intent, then the rename, then the process.
final class Scheduler {
    private let ledger: Ledger
    private let queues: QueueBook
    private let runners: Runners
    /// Starts that wait until their intent is on disk.
    private var unsynced: [Start] = []

    /// A job that is being accepted, and will start in this round if nothing comes between.
    private var next: Next?

    private struct Next {
        /// Of the task. Ids can come twice, where one that was accepted is given back.
        let sequence: Int64
        let run: RunRecord
        let bytes: [UInt8]
        let runner: RunnerProcess
    }

    private struct Start {
        let id: JobID
        let attempt: Int
    }

    /// While it is set nothing starts: the PAUSE file, or a daemon that is about to end.
    var isPaused = false

    init(ledger: Ledger, queues: QueueBook, runners: Runners) {
        self.ledger = ledger
        self.queues = queues
        self.runners = runners
    }

    /// Lets a runner make ready what it can for a job that is accepted and has yet to be written down. Only where nothing
    /// else runs, and there is a processor for it: it is time that somebody waits for, and costs some.
    func prepare(_ task: TaskRecord) {
        guard next == nil, !isPaused, !ledger.isIndexBehind, QueueBook.cores > 1, runners.count == 0, runners.idleCount > 0, case .run = task.verb,
            task.onCrash != .fail, queues.slots(task.queue) > 0, let runner = try? runners.take()
        else { return }
        let run = record(task, attempt: 1, lost: 0, program: nil, runner)
        // A file with a secret may hang to be read, and is not to be read for nothing.
        let readsFiles = run.environment.values.contains { if case .file = $0 { true } else { false } }
        guard !readsFiles else { return runners.giveBack(runner) }
        let bytes = JSONWriter.write(run.json)
        runner.prepare(run.id, attempt: run.attempt, bytes)
        next = Next(sequence: task.sequence, run: run, bytes: bytes, runner: runner)
    }

    private func record(_ task: TaskRecord, attempt: Int, lost: Int, program: RunRecord.Program?, _ runner: RunnerProcess) -> RunRecord {
        RunRecord(
            task: task, attempt: attempt, lost: lost, queueEnvironment: queues[task.queue].environment, turn: program,
            spool: ledger.spool.path, runner: runner.identity, at: .now)
    }

    /// What was prepared for this start, if it was.
    private func takePrepared(_ row: JobRow, attempt: Int) -> Next? {
        guard let prepared = next, prepared.run.id == row.id, prepared.sequence == row.sequence, prepared.run.attempt == attempt else { return nil }
        next = nil
        return prepared
    }

    /// Fills every free slot, queue by queue in turn.
    func fill() throws {
        defer {
            if let next { runners.giveBack(next.runner) }
            next = nil
        }
        guard !isPaused, !ledger.isIndexBehind else { return }
        let lineup = ledger.lineup
        var open = try lineup.open(slots: queues.slots, ledger.store)
        var failure: (any Error)?
        while !open.isEmpty {
            var next: [String] = []
            for queue in open {
                guard let row = try lineup.next(in: queue, ledger.store) else { continue }
                // What one queue lacks keeps none of the others.
                do { guard try start(row) else { continue } } catch {
                    failure = failure ?? error
                    continue
                }
                if lineup.hasRoom(queue, queues.slots(queue)) { next.append(queue) }
            }
            open = next
        }
        if let failure { throw failure }
    }

    /// A job whose time ran out while nobody looked is not started.
    var onExpired: (JobRow) throws -> Void = { _ in }
    /// A queued job has ended without having been started.
    var onOver: (TaskRecord, ResultRecord) throws -> Void = { _, _ in }

    /// Says whether a turn starts, and with what.
    var turns: Turns?

    /// Starts it, or takes it out of the line where it is not to be started.
    /// - Returns: `false` where its queue takes nothing now.
    private func start(_ row: JobRow) throws -> Bool {
        var row = row
        if let expiry = row.expiresAt, expiry <= .now {
            try onExpired(row)
            return true
        }
        let spool = ledger.spool
        // Somebody has moved it, or it has ended and its reply is on the way: what the directories say counts.
        guard let job = try spool.jobIfThere(row.id, in: .queued), !job.contains(SpoolLayout.Job.result) else {
            ledger.erase(row.id)
            return true
        }
        let task = try ledger.cachedTask(row.id) ?? TaskRecord.read(JSONReader.read(row.task))
        var program: RunRecord.Program?
        if task.verb.isTurn {
            switch try turns?.judge(row, task, in: job) {
            case .start(let turn): program = turn
            case .over(let result):
                try onOver(task, result)
                return true
            case .later, nil: return false
            }
        }
        let past = row.attempts > 0 ? try ledger.state(row.id, in: job) ?? StateRecord(attempts: row.attempts) : StateRecord()
        let prepared = takePrepared(row, attempt: past.attempts + 1)
        let runner = if let prepared { prepared.runner } else { try runners.take() }
        let run = prepared?.run ?? record(task, attempt: past.attempts + 1, lost: past.lost, program: program, runner)
        row.state = .running
        row.attempts = run.attempt
        row.startedAt = run.startedAt
        row.expiresAt = nil
        do {
            try spool.blanks.write(prepared?.bytes ?? JSONWriter.write(run.json), to: SpoolLayout.Job.run, in: job)
            try ledger.move(
                row, from: spool.directory(of: .queued), to: .running, event: "started", ["attempt": .number(run.attempt)])
        } catch {
            runners.giveBack(runner)
            throw error
        }
        if let session = task.verb.turnSession { try turns?.started(task, session) }
        ledger.cache(task)
        runners.assign(runner, to: row.id, attempt: run.attempt)
        if task.onCrash == .fail {
            unsynced.append(Start(id: row.id, attempt: run.attempt))
        } else {
            runners.begin(row.id, attempt: run.attempt)
        }
        return true
    }

    /// Puts a start on disk by the job's files themselves: its `run.json` and its place in `running/`.
    func synchronizeIntent(_ id: JobID) throws(SystemFault) {
        let job = try ledger.spool.job(id, in: .running)
        try job.synchronize(SpoolLayout.Job.run)
        try job.synchronize()
        try ledger.spool.directory(of: .running).synchronize()
        try ledger.spool.directory(of: .queued).synchronize()
    }

    /// There are starts that wait for a commit.
    var hasUnsynced: Bool { !unsynced.isEmpty }

    /// Starts whose intent has just been committed: to be begun once it is on disk.
    func takeUnsynced() -> [(id: JobID, attempt: Int)] {
        defer { unsynced = [] }
        return unsynced.map { ($0.id, $0.attempt) }
    }
}
