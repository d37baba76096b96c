import JobIndex
import SpoolFormat

/// Puts a job back in line, with what belongs to its last attempt moved to `attempts/<n>/`.
///
/// The new `state.json` is written first and says how many attempts are over: a job in `running/` whose `state.json`
/// counts the attempt of its `run.json` is on its way out, and whoever finds it so after a crash goes on here.
final class Requeue {
    private let ledger: Ledger

    init(ledger: Ledger) { self.ledger = ledger }

    /// Moves a job out of `running/` for another try, or to wait for one.
    func leaveRunning(_ task: TaskRecord, state: StateRecord, event: String, _ details: JSONObject) throws {
        let job = try ledger.spool.job(task.id, in: .running)
        try job.replaceState(state)
        try putAway(job, attempt: state.attempts)
        let target: JobState = state.reason == nil ? .queued : .waiting
        let row = JobRow(task: task, state: target, waiting: state, run: nil, result: nil)
        try ledger.move(row, from: ledger.spool.directory(of: .running), to: target, event: event, details)
    }

    /// A finished job in `done/` or `failed/` is queued again, by request of a control job.
    func queueAgain(_ row: JobRow, as event: WakeEvent, by control: String) throws -> Bool {
        let job = try ledger.spool.job(row.id, in: row.state)
        guard let task = try job.readTask() else { return false }
        var state = ((try? job.readState()) ?? nil) ?? StateRecord(attempts: row.attempts)
        state.againBy = control
        // Announced, and done when the job has left for the queue.
        state.ending = event == .recovered ? .recovered : .retried
        try job.replaceState(state)
        try queueAgain(row.id, named: row.id.text, in: ledger.spool.directory(of: row.state), task: task)
        return true
    }

    /// A job that is moved by hand still has what an earlier verb has left, which is not why it runs again.
    func forgetVerbs(_ name: some FileName, in directory: Directory) throws(SystemFault) {
        let job = try directory.directory(name)
        guard var state = (try? job.readState()) ?? nil, state.againBy != nil || state.ending != nil else { return }
        (state.againBy, state.ending) = (nil, nil)
        try job.replaceState(state)
    }

    /// Takes a finished job out of the directory that it is in, and queues it again.
    func queueAgain(_ id: JobID, named name: some FileName, in directory: Directory, task: TaskRecord) throws {
        try directory.rename(name, to: ledger.spool.staging, as: Self.marker + id.text)
        try queueAgain(staged: id, task: task)
    }

    /// In `.staging/` such a job's name tells that it is to run again, whatever is in its directory. No id begins with `@`.
    private static let marker = "@retry-"

    static func stagingName(of id: JobID) -> String { marker + id.text }

    /// The job that a name in `.staging/` says is to run again.
    static func id(ofStaged name: String) -> JobID? {
        name.hasPrefix(marker) ? JobID(String(name.dropFirst(marker.utf8.count))) : nil
    }

    /// Goes on with a finished job that is in `.staging/` to be queued again. Its attempts are kept; its tries are
    /// counted anew.
    func queueAgain(staged id: JobID, task: TaskRecord) throws {
        let name = Self.marker + id.text
        let job = try ledger.spool.staging.directory(name)
        // What is there is what somebody moved here; records that can't be read are as good as absent.
        let run = (try? job.readRun()) ?? nil
        let result = (try? job.readResult()) ?? nil
        let before = (try? job.readState()) ?? nil
        let attempts = max(run?.attempt ?? 0, result?.attempts ?? 0, before?.attempts ?? 0)
        var state = StateRecord(attempts: attempts, isRetried: true, againBy: before?.againBy)
        let by = before?.againBy.map { String($0.prefix { $0 != " " }) }
        try onQueueingAgain(task, before?.ending == .recovered ? .recovered : .retried, attempts, by)
        try job.replaceState(state)
        try putAway(job, attempt: attempts)
        let readiness = ledger.ask(Readiness.ready) { try Readiness.judge(task, past: state, store: $0, now: .now) }
        var target = JobState.queued
        if case .waits(let waiting) = readiness {
            (state, target) = (waiting, .waiting)
            try job.replaceState(state)
        }
        let row = JobRow(task: task, state: target, waiting: state, run: nil, result: nil)
        try ledger.move(row, from: ledger.spool.staging, named: name, to: target, event: "retried", ["attempts": .number(attempts)])
        ledger.commitThisRound()
        onQueuedAgain(row)
    }

    var onQueuedAgain: (JobRow) -> Void = { _ in }
    /// A job is about to be queued again: why, with how many attempts behind it, and by which control job.
    var onQueueingAgain: (TaskRecord, WakeEvent, _ attempts: Int, _ by: String?) throws -> Void = { _, _, _, _ in }

    private func putAway(_ job: Directory, attempt: Int) throws(SystemFault) {
        let files = SpoolLayout.Job.ofAttempt
        guard files.contains(where: job.contains) else { return }
        if attempt == 0 {
            // It ended before it began: there is no attempt to keep, only the result that no longer holds.
            for file in files { try job.removeFile(file) }
            return
        }
        let attempts = try job.directory(makingIfMissing: SpoolLayout.Job.attempts)
        let own = try attempts.directory(makingIfMissing: String(attempt))
        for file in files where job.contains(file) { try job.rename(file, to: own, as: file, replacing: true) }
    }
}
