import JobIndex
import SpoolFormat

/// The files of jobs, the index and the events, kept in step.
///
/// A change of state is one rename of the job's directory. What follows from it, a line in `events/` and a row in the
/// index, is written after the rename and gathers until the end of the round. If it can't be written, the rename
/// stands: the index is then behind and is brought up from the files.
final class Ledger {
    let spool: Spool
    let store: any JobStore
    let events: EventLog
    /// The index does not show what the directories say; nothing is chosen from it until it is repaired.
    private(set) var isIndexBehind = false
    /// Files that were rejected since the daemon started.
    var rejections = 0
    /// Rows were changed in this round.
    private(set) var hasChanges = false
    private var nextSequence: Int64 = 1

    init(spool: Spool, store: any JobStore) throws {
        self.spool = spool
        self.store = store
        events = EventLog(spool)
        nextSequence = try store.highestSequence() + 1
    }

    /// A number that no job has had, larger than all before.
    func takeSequence() -> Int64 {
        defer { nextSequence += 1 }
        return nextSequence
    }

    /// Ids of a batch that is accepted and whose jobs have not come to their places yet.
    private var reserved: Set<JobID> = []

    func reserve(_ ids: [JobID]) { reserved.formUnion(ids) }
    func release(_ id: JobID) { reserved.remove(id) }

    func isUsed(_ id: JobID) -> Bool { reserved.contains(id) || spool.isUsed(id) }

    func sequenceSeen(_ sequence: Int64) { nextSequence = max(nextSequence, sequence + 1) }

    /// Renames a job's directory and writes down that it was. The rename is the change; it alone can throw.
    func move(
        _ row: JobRow, from source: Directory, named name: String? = nil, to state: JobState, event: String,
        _ details: JSONObject = JSONObject()
    ) throws(SystemFault) {
        try source.rename(name ?? row.id.text, to: spool.directory(of: state), as: row.id.text)
        var details = details
        details["queue"] = .string(row.queue)
        details["state"] = .string(state.rawValue)
        events.append(event, job: row.id, details)
        record(row)
    }

    /// What was accepted. Where the file is gone or damaged the index still has it, and it is written again.
    func task(_ id: JobID, in job: Directory) throws -> TaskRecord {
        do {
            if let task = try job.readTask() { return task }
        } catch is DamagedRecord {}
        guard let row = try store.job(id) else {
            throw DamagedRecord(path: job.path + "/" + SpoolLayout.Job.task, reason: "it is gone, and the index does not know the job")
        }
        let json = try JSONReader.read(row.task)
        try job.replace(SpoolLayout.Job.task, with: JSONWriter.write(json))
        return try TaskRecord.read(json)
    }

    /// What is known of a job's past. Where `state.json` is damaged, that is what the index remembers.
    func state(_ id: JobID, in job: Directory) throws -> StateRecord? {
        do { return try job.readState() } catch is DamagedRecord { return try store.job(id).map(StateRecord.init) }
    }

    /// What is known of a job has changed.
    var onRecord: (JobRow) -> Void = { _ in }

    /// Writes what is known of a job to the index.
    func record(_ row: JobRow) {
        change { try store.put(row) }
        onRecord(row)
    }

    func erase(_ id: JobID) { change { try store.remove(id) } }

    /// Keeps of a finished job that leaves only how it ended.
    func remember(_ row: JobRow) {
        guard let job = ForgottenJob(row) else { return }
        change { try store.remember(job) }
    }

    func dropForgotten(before time: Timestamp) { change { try store.dropForgotten(before: time) } }

    private func change(_ body: () throws -> Void) {
        hasChanges = true
        do { try body() } catch { isIndexBehind = true }
    }

    /// Runs a question to the index; one that can't be answered leaves the index to be repaired.
    func ask<Answer>(_ otherwise: Answer, _ question: (any JobStore) throws -> Answer) -> Answer {
        do { return try question(store) } catch {
            isIndexBehind = true
            return otherwise
        }
    }

    /// Ends a round: events first, then the index. A crash in between tells an event twice rather than not at all.
    /// - Returns: whether rows were committed, and what could not be written.
    func endRound() -> (committed: Bool, fault: (any Error)?) {
        var fault: (any Error)?
        do { try events.flush() } catch { fault = error }
        guard hasChanges else { return (false, fault) }
        hasChanges = false
        do {
            if isIndexBehind { try store.rollback() } else { try store.commit() }
            return (!isIndexBehind, fault)
        } catch {
            isIndexBehind = true
            try? store.rollback()
            return (false, error)
        }
    }

    func indexFellBehind() { isIndexBehind = true }

    func indexIsRepaired() {
        isIndexBehind = false
        // What waits for a commit of this round hears of it, though there may be nothing left to write.
        hasChanges = true
    }
}

extension StateRecord {
    /// As much of it as the index remembers.
    init(_ row: JobRow) {
        self.init(
            reason: row.reason, until: row.until, attempts: row.state == .running ? row.attempts - 1 : row.attempts,
            isHeld: row.reason == .hold)
    }
}
