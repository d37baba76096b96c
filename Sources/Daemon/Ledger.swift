import JobIndex
import SpoolFormat

/// The files of jobs, the index and the events, kept in step.
///
/// A change of state is one rename of the job's directory. What follows from it, a line in `events/` and a row in the
/// index, is written after the rename and gathers: the lines until the end of the round, the rows for some milliseconds
/// or until the index is asked for something. A job that starts as soon as it is accepted is then one row written once,
/// after its runner was told. If rows can't be written, or the daemon dies with them, the renames stand: the index is
/// then behind and is brought up from the files.
final class Ledger {
    let spool: Spool
    let events: EventLog
    /// What may start next.
    let lineup = Lineup()
    /// The index does not show what the directories say; nothing is chosen from it until it is repaired.
    private(set) var isIndexBehind = false
    /// Files that were rejected since the daemon started.
    var rejections = 0
    /// Rows were recorded that may be due sooner than all before.
    private(set) var mayBeDueSooner = false

    private let index: any JobStore
    /// Rows that the index does not have yet; `nil` erases one.
    private var unwritten: [JobID: JobRow?] = [:]
    private var isUncommitted = false
    /// Jobs whose rows were recorded since the last commit. Where the index fell behind, what it says of these is old, also
    /// where their directories are again, or still, in the state that it knows.
    private(set) var uncommitted: Set<JobID> = []
    private var mayHaveWaiters = true
    private var tasks: [JobID: TaskRecord] = [:]
    private var nextSequence: Int64 = 1

    /// So many tasks of accepted jobs are remembered, so that a job that starts soon is not read again.
    private static let mostTasks = 64
    /// So many rows wait at most.
    private static let mostUnwritten = 256

    init(spool: Spool, store: any JobStore) throws {
        self.spool = spool
        index = store
        events = EventLog(spool)
        nextSequence = try store.highestSequence() + 1
    }

    /// The index, with all rows that were recorded.
    var store: any JobStore {
        writeRows()
        return index
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

    /// What was accepted, as it was read last.
    func cachedTask(_ id: JobID) -> TaskRecord? { tasks[id] }

    /// - Parameter isAccepted: it has just come, and may start soon; otherwise it starts now.
    func cache(_ task: TaskRecord, isAccepted: Bool = false) {
        if !isAccepted || tasks.count < Self.mostTasks { tasks[task.id] = task }
    }

    /// What was accepted. Where the file is gone or damaged the index still has it, and it is written again.
    func task(_ id: JobID, in job: Directory) throws -> TaskRecord {
        if let task = tasks[id] { return task }
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

    /// Has what is known of a job written to the index.
    func record(_ row: JobRow) {
        unwritten[row.id] = .some(row)
        lineup.note(row)
        if row.state == .waiting { mayHaveWaiters = true }
        if row.state.isFinished { tasks[row.id] = nil }
        if row.dueAt != nil { mayBeDueSooner = true }
        onRecord(row)
    }

    /// The rows of this round are not to wait for others. A finished job that runs again could be finished again before
    /// they are written; after a crash in between nothing would tell that the index is behind.
    func commitThisRound() { isUncommitted = true }

    func erase(_ id: JobID) {
        unwritten[id] = .some(nil)
        lineup.forget(id)
        tasks[id] = nil
    }

    /// No job waits, so none waits for another; most of the time that is so, and answered without the index.
    var nobodyWaits: Bool { !mayHaveWaiters }

    private func writeRows() {
        guard !unwritten.isEmpty else { return }
        defer { unwritten.removeAll(keepingCapacity: true) }
        uncommitted.formUnion(unwritten.keys)
        isUncommitted = true
        guard !isIndexBehind else { return }
        do {
            for (id, row) in unwritten.sorted(by: { $0.value?.sequence ?? 0 < $1.value?.sequence ?? 0 }) {
                if let row { try index.put(row) } else { try index.remove(id) }
            }
            try lookForWaiters()
        } catch { indexFellBehind() }
    }

    private func lookForWaiters() throws {
        mayHaveWaiters = try index.counts().contains { $0.state == .waiting && $0.count > 0 }
    }

    /// Keeps of a finished job that leaves only how it ended.
    func remember(_ row: JobRow) {
        guard let job = ForgottenJob(row) else { return }
        change { try index.remember(job) }
    }

    func dropForgotten(before time: Timestamp) { change { try index.dropForgotten(before: time) } }

    private func change(_ body: () throws -> Void) {
        writeRows()
        isUncommitted = true
        do { try body() } catch { indexFellBehind() }
    }

    /// Runs a question to the index; one that can't be answered leaves the index to be repaired.
    func ask<Answer>(_ otherwise: Answer, _ question: (any JobStore) throws -> Answer) -> Answer {
        do { return try question(store) } catch {
            indexFellBehind()
            return otherwise
        }
    }

    /// What rows wait for at the end of a round.
    enum Rows {
        case none, waiting
        case committed
    }

    /// Ends a round: events first, then the index. A crash in between tells an event twice rather than not at all.
    /// - Parameter isCommitting: rows wait no longer. They never do once the index has begun with them.
    /// - Returns: what became of the rows, and what could not be written.
    func endRound(isCommitting: Bool) -> (rows: Rows, fault: (any Error)?) {
        var fault: (any Error)?
        do { try events.flush() } catch { fault = error }
        if isCommitting || unwritten.count >= Self.mostUnwritten || isUncommitted || isIndexBehind { writeRows() }
        guard isUncommitted else { return (unwritten.isEmpty ? .none : .waiting, fault) }
        isUncommitted = false
        do {
            guard !isIndexBehind else {
                try index.rollback()
                return (.none, fault)
            }
            try index.commit()
            uncommitted.removeAll(keepingCapacity: true)
            return (.committed, fault)
        } catch {
            indexFellBehind()
            try? index.rollback()
            return (.none, error)
        }
    }

    func indexFellBehind() {
        isIndexBehind = true
        lineup.forgetAll()
        tasks = [:]
    }

    func indexIsRepaired() {
        isIndexBehind = false
        uncommitted = []
        lineup.forgetAll()
        do { try lookForWaiters() } catch { mayHaveWaiters = true }
        mayBeDueSooner = true
        // What waits for a commit of this round hears of it, though there may be nothing left to write.
        isUncommitted = true
    }

    /// When the next job is due, by the index.
    func nextDue() -> Timestamp? {
        mayBeDueSooner = false
        return ask(nil) { try $0.nextDue() }
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
