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
        let time = Timestamp(milliseconds: Timestamp.now.milliseconds - Defaults.rememberTime.milliseconds)
        try ForgottenJob.all(in: ledger.spool.root, finishedAfter: time, ledger.store.remember)
        try ledger.store.commit()
        ledger.indexIsRepaired()
        return count
    }

    /// Brings the index up to what the directories say. Where rows may have been lost, also those are read again whose
    /// jobs may have left a state and come back to it.
    /// - Returns: how many jobs it had wrong.
    func reconcile() throws -> Int {
        let isBehind = ledger.isIndexBehind
        if isBehind { try ledger.store.rollback() }
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
                } else if isBehind, !state.isFinished || ledger.uncommitted.contains(id) {
                    try refresh(id, in: state)
                }
            }
        }
        for (id, state) in known where !seen.contains(id) {
            // Finished jobs are pruned from the command line; any other was taken away by hand.
            if !state.isFinished {
                repaired += 1
                ledger.events.append("gone", job: id, ["state": .string(state.rawValue)])
                runners.cancel(id)
            } else if let row = try ledger.store.job(id) {
                ledger.remember(row)
            }
            try ledger.store.remove(id)
        }
        try ledger.store.commit()
        ledger.indexIsRepaired()
        return repaired
    }

    private func refresh(_ id: JobID, in state: JobState) throws {
        do {
            guard let row = try JobFiles.row(in: try ledger.spool.job(id, in: state), id: id, state: state) else { return }
            if try ledger.store.job(id) != row { try ledger.store.put(row) }
        } catch is JobFiles.Damage {
            // The index knows more of it than its files.
        } catch let fault as SystemFault where fault.isMissing {}
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

    /// After a power cut: what had been synced to the index is put back where the file system has lost it.
    func recoverFromPowerCut() throws { try PowerCut(ledger: ledger, finisher: finisher).recover() }

    private func complain(_ place: String, _ what: String) { warnOnce("\(place): \(what)") }

    func warnOnce(_ text: String) {
        if warned.insert(text).inserted { warn(text) }
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
            let task = try ledger.task(id, in: job)
            if let result = try job.readResultIfWhole() { return try finisher.finish(task, in: state, result) }
            try job.removeFile(SpoolLayout.Job.result)
        }
        if state == .queued, let row = try ledger.store.job(id), !row.runs, let job = try ledger.spool.jobIfThere(id, in: state) {
            _ = try controller.perform(try ledger.task(id, in: job))
        }
    }

    /// What became of an attempt whose runner this daemon did not start, or has lost.
    /// - Parameter pause: how long the job waits where its attempt never began.
    func examine(_ id: JobID, pause: TimeSpan? = nil) throws {
        let job = try ledger.spool.job(id, in: .running)
        let task = try ledger.task(id, in: job)
        if let result = try job.readResultIfWhole() { return try finisher.finish(task, in: .running, result) }
        let (run, evidence) = try AttemptEvidence.examine(job)
        let past = try ledger.state(id, in: job) ?? StateRecord()
        let attempt = run?.attempt ?? past.attempts + 1
        // Its next step was decided, and the daemon died on the way.
        let isLeaving = run.map { past.attempts >= $0.attempt } ?? (past.attempts > 0 && !job.contains(SpoolLayout.Job.run))
        if isLeaving { return try finisher.leave(task, past) }
        switch evidence {
        case .finished(let exit): try finisher.attemptEnded(id, exit)
        case .alive(let runner):
            runners.adopt(runner, for: id, attempt: attempt)
            ledger.events.append("adopted", job: id, ["attempt": .number(attempt)])
            if past.ending != nil { runners.cancel(id) }
        case .neverStarted where task.onCrash == .fail && job.contains(SpoolLayout.Job.run) && run?.runner.bootID != ProcessIdentity.currentBootID:
            // A power cut may have taken the log, which says that it began.
            try finisher.attemptLost(id, attempt: attempt)
        case .neverStarted: try finisher.attemptNeverBegan(id, pause: pause)
        case .lost:
            warn("\(id): the runner of attempt \(attempt) is gone without a word; what it left is ended")
            _ = Orphans.endAll(ofJobDirectory: "\(run?.spool ?? ledger.spool.path)/\(JobState.running.rawValue)/\(id)", attempt: attempt)
            try finisher.attemptLost(id, attempt: attempt)
        }
    }

    /// Has every job judged anew that waits for others: what it waits for may have ended just before a crash.
    func reconsiderWaiters() throws {
        for row in try ledger.store.list(JobFilter(states: [.waiting])) where row.reason == .after || row.reason == .key || row.reason == nil {
            waiting.reconsider(row.id)
        }
    }
}
