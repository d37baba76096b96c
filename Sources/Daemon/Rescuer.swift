import JobIndex
import JobRunner
import SpoolFormat

/// Repairs what a crash, a power cut or a person has left: the directories win, and every unfinished step is finished.
final class Rescuer {
    private let ledger: Ledger
    private let finisher: Finisher
    private let runners: Runners
    private let controller: Controller
    private let waiting: Waiting
    /// What can't be repaired, said once.
    var warn: (String) -> Void = { _ in }
    private var warned: Set<String> = []

    init(ledger: Ledger, finisher: Finisher, runners: Runners, controller: Controller, waiting: Waiting) {
        self.ledger = ledger
        self.finisher = finisher
        self.runners = runners
        self.controller = controller
        self.waiting = waiting
    }

    // MARK: the index

    /// Builds the index anew from the files.
    func rebuild() throws -> Int {
        try ledger.store.removeAll()
        var count = 0
        try JobFiles.all(in: ledger.spool.root, damaged: { id, state, damage in
            complain("\(state.rawValue)/\(id)", "\(damage)")
        }, { row in
            try ledger.store.put(row)
            ledger.sequenceSeen(row.sequence)
            count += 1
        })
        try ledger.store.commit()
        ledger.indexIsRepaired()
        return count
    }

    /// Brings the index up to what the directories say.
    /// - Returns: how many jobs it had wrong.
    func reconcile() throws -> Int {
        if ledger.isIndexBehind { try ledger.store.rollback() }
        var known: [JobID: JobState] = [:]
        try ledger.store.forEachState { known[$0] = $1 }
        var repaired = 0
        var seen: Set<JobID> = []
        for state in JobState.allCases {
            for id in try ledger.spool.directory(of: state).jobIDs() {
                guard seen.insert(id).inserted else {
                    complain("\(state.rawValue)/\(id)", "there is another job of this name; rename one of the two")
                    continue
                }
                if known[id] != state {
                    repaired += 1
                    try adopt(id, in: state)
                }
            }
        }
        for (id, state) in known where !seen.contains(id) {
            repaired += 1
            ledger.events.append("gone", job: id, ["state": .string(state.rawValue)])
            try ledger.store.remove(id)
        }
        try ledger.store.commit()
        ledger.indexIsRepaired()
        return repaired
    }

    private func adopt(_ id: JobID, in state: JobState) throws {
        do {
            guard let row = try JobFiles.row(in: try ledger.spool.job(id, in: state), id: id, state: state) else {
                return complain("\(state.rawValue)/\(id)", "it has no task.json and is no job; remove it, or drop its drop.json again")
            }
            ledger.events.append("repaired", job: id, ["queue": .string(row.queue), "state": .string(state.rawValue)])
            ledger.sequenceSeen(row.sequence)
            try ledger.store.put(row)
        } catch let damage as JobFiles.Damage {
            complain("\(state.rawValue)/\(id)", "\(damage)")
        } catch let fault as SystemFault where fault.isMissing {}
    }

    private func complain(_ place: String, _ what: String) { warnOnce("\(place): \(what)") }

    func warnOnce(_ text: String) {
        if warned.insert(text).inserted { warn(text) }
    }

    // MARK: after a power cut

    /// The machine went down without the daemon: what had been synced to the index is put back where the file system
    /// has lost it.
    func recoverFromPowerCut() throws {
        var rows: [JobRow] = []
        try ledger.store.forEachState { id, _ in if let row = try ledger.store.job(id) { rows.append(row) } }
        for row in rows {
            guard let state = ledger.spool.state(of: row.id) else {
                if !row.state.isFinished, !ledger.spool.staging.contains(row.id.text) { try restore(row) }
                continue
            }
            let job = try ledger.spool.job(row.id, in: state)
            if ((try? job.readTask()) ?? nil) == nil { try write(row, into: job) }
            if row.state.isFinished, !state.isFinished { try conclude(row, in: state, job) }
            if row.state == .running, state == .queued, row.onCrash == .fail { try lose(row, job) }
        }
    }

    private func restore(_ row: JobRow) throws {
        let name = row.id.text
        try ledger.spool.staging.makeDirectory(name)
        try write(row, into: try ledger.spool.staging.directory(name))
        if row.state == .running, row.onCrash == .fail {
            try ledger.spool.staging.rename(name, to: ledger.spool.directory(of: .queued), as: name)
            return try lose(row, try ledger.spool.job(row.id, in: .queued))
        }
        let target: JobState = row.state == .waiting ? .waiting : .queued
        try ledger.spool.staging.rename(name, to: ledger.spool.directory(of: target), as: name)
        ledger.events.append("restored", job: row.id, ["queue": .string(row.queue), "state": .string(target.rawValue)])
    }

    private func write(_ row: JobRow, into job: Directory) throws {
        let text = JSONWriter.write(try JSONReader.read(row.task))
        try job.replace(SpoolLayout.Job.task, with: text, synchronizing: true)
    }

    /// It was finished, and only the index remembers how.
    private func conclude(_ row: JobRow, in state: JobState, _ job: Directory) throws {
        guard let task = try job.readTask() else { return }
        var result = ResultRecord(
            id: row.id, outcome: row.outcome ?? .lost, error: row.errorCode.map { ErrorRecord($0, row.errorMessage ?? $0) },
            attempts: row.attempts, queuedAt: row.acceptedAt, finishedAt: row.finishedAt ?? .now)
        result.exitCode = row.exitCode
        result.signal = row.signal
        result.startedAt = row.startedAt
        result.durationMilliseconds = row.durationMilliseconds
        result.warnings = ["the result was written again from the index after a power cut"]
        try finisher.finish(task, in: state, result)
    }

    /// Its start was synced, its directory's move was not: it may have run, and must not run again.
    private func lose(_ row: JobRow, _ job: Directory) throws {
        guard let task = try job.readTask() else { return }
        try finisher.finish(task, in: .queued, ResultRecord(
            id: row.id, outcome: .lost,
            error: ErrorRecord("lost", "the machine went down when it had been started; on_crash is \"fail\", so it is not run again", retryable: true),
            attempts: row.attempts, queuedAt: row.acceptedAt, finishedAt: .now))
    }

    // MARK: jobs that stopped halfway

    /// Finishes the steps of unfinished jobs: results that were written and not acted on, verbs not carried out,
    /// attempts without a runner.
    func finishSteps(ofRunning: Bool = true) throws {
        for state in [JobState.queued, .waiting] {
            for id in try ledger.spool.directory(of: state).jobIDs() { try isolated(id, state) { try finishStep(id, in: state) } }
        }
        guard ofRunning else { return }
        for id in try ledger.spool.directory(of: .running).jobIDs() where !runners.isGuarded(id) {
            try isolated(id, .running) { try examine(id) }
        }
    }

    /// One bad record must not keep the others, or the daemon, from going on.
    private func isolated(_ id: JobID, _ state: JobState, _ body: () throws -> Void) throws {
        do { try body() } catch let damage as DamagedRecord {
            complain("\(state.rawValue)/\(id)", damage.description)
        } catch let fault as SystemFault where fault.isMissing {}
    }

    private func finishStep(_ id: JobID, in state: JobState) throws {
        let directory = ledger.spool.directory(of: state)
        if directory.contains("\(id)/\(SpoolLayout.Job.result)") {
            let job = try ledger.spool.job(id, in: state)
            guard let task = try job.readTask() else { return }
            if let result = try job.readResultIfWhole() { return try finisher.finish(task, in: state, result) }
            try job.removeFile(SpoolLayout.Job.result)
        }
        if state == .queued, let row = try ledger.store.job(id), row.verb != "run", let task = try ledger.spool.job(id, in: state).readTask() {
            try controller.perform(task)
        }
    }

    /// What became of an attempt whose runner this daemon did not start, or has lost.
    func examine(_ id: JobID) throws {
        let job = try ledger.spool.job(id, in: .running)
        if let result = try job.readResultIfWhole(), let task = try job.readTask() {
            return try finisher.finish(task, in: .running, result)
        }
        let (run, evidence) = try AttemptEvidence.examine(job)
        let past = try job.readState() ?? StateRecord()
        let attempt = run?.attempt ?? past.attempts + 1
        // Its next step was decided, and the daemon died on the way.
        let isLeaving = run.map { past.attempts >= $0.attempt } ?? (past.attempts > 0)
        if isLeaving, let task = try job.readTask() { return try finisher.leave(task, past) }
        switch evidence {
        case .finished(let exit): try finisher.attemptEnded(id, exit)
        case .alive(let runner):
            runners.adopt(runner, for: id, attempt: attempt)
            ledger.events.append("adopted", job: id, ["attempt": .number(attempt)])
            if past.ending != nil { runners.cancel(id) }
        case .neverStarted: try finisher.attemptNeverBegan(id)
        case .lost:
            _ = Orphans.endAll(ofJobDirectory: "\(run?.spool ?? ledger.spool.path)/\(JobState.running.rawValue)/\(id)", attempt: attempt)
            try finisher.attemptLost(id, attempt: attempt)
        }
    }

    /// Has every job judged anew that waits for others: what it waits for may have ended just before a crash.
    func reconsiderWaiters() throws {
        for row in try ledger.store.list(JobFilter(states: [.waiting])) where row.reason == .after || row.reason == .key {
            waiting.reconsider(row.id)
        }
    }
}
