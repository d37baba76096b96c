import Glibc
import JobIndex
import SpoolFormat

/// `.staging/`: where a dropped file becomes a job. Claim, check, commit; each step can be done again after a crash.
final class Staging {
    private let ledger: Ledger
    private let admission: Admission
    private let rejecter: Rejecter
    private let requeue: Requeue
    private var lastSuffix: UInt64 = 0

    /// A job has been accepted, into whatever state.
    var onAccepted: (JobRow, TaskRecord) -> Void = { _, _ in }
    /// Finishes a job in `waiting/` that was over when it came.
    var finish: (TaskRecord, ResultRecord) throws -> Void = { _, _ in }
    /// A new job takes the place of these.
    var onSuperseded: ([JobRow], JobID) -> Void = { _, _ in }

    /// A job is accepted, and will be queued when it is written down.
    var willQueue: (TaskRecord) -> Void = { _ in }
    /// A job is about to be queued.
    var onQueueing: (TaskRecord) throws -> Void = { _ in }
    /// A wake joins one that is pending; gives what its result says of that.
    var onJoining: (TaskRecord) throws -> JSON = { _ in .null }

    init(ledger: Ledger, admission: Admission, requeue: Requeue) {
        self.ledger = ledger
        self.requeue = requeue
        self.admission = admission
        rejecter = Rejecter(ledger: ledger)
    }

    // MARK: claim

    /// In `.staging/` a directory's name tells where its file came from: `<id>`, or `<id>@<queue>`.
    private static func stagingName(_ id: JobID, _ queue: String?) -> String { queue.map { "\(id)@\($0)" } ?? id.text }

    /// Takes a file that was looked at and is a task out of its inbox, and into a state.
    /// - Parameter queue: whose inbox it is; `nil` is `inbox/` itself.
    func take(
        _ name: EntryName, _ file: TaskFile, _ seen: (bytes: [UInt8], status: FileStatus), from inbox: Directory, of queue: String?
    ) throws(SystemFault) {
        let staging = ledger.spool.staging
        let id = freeID(for: name)
        let stagingName = Self.stagingName(id, queue)
        try ledger.spool.blanks.makeDirectory(stagingName, in: staging)
        let staged: Directory
        do {
            staged = try staging.directory(stagingName)
            try inbox.rename(name, to: staged, as: SpoolLayout.Job.drop)
        } catch {
            try? staging.removeEmptyDirectory(stagingName)
            throw error
        }
        do throws(SystemFault) {
            try check(staged, named: stagingName, id: id, original: name, queue: queue, file: file, seen: seen)
        } catch {
            try giveBack(staged, stagingName, as: name, to: inbox)
            throw error
        }
    }

    /// What could not be taken in for want of room goes back where it was dropped, to be taken in later.
    private func giveBack(_ staged: Directory, _ stagingName: String, as name: EntryName, to inbox: Directory) throws(SystemFault) {
        guard staged.contains(SpoolLayout.Job.drop), ledger.spool.staging.contains(stagingName) else { return }
        // First what says that it was accepted: without its drop.json it would be taken for a job.
        try staged.removeFile(SpoolLayout.Job.task)
        try staged.rename(SpoolLayout.Job.drop, to: inbox, as: name)
        try ledger.spool.staging.removeTree(stagingName)
    }

    private func freeID(for name: EntryName) -> JobID {
        if let id = JobID(fileName: name), !ledger.isUsed(id) { return id }
        return newID(name.display)
    }

    /// An id that nobody has, close to `name`.
    func newID(_ name: String) -> JobID {
        while true {
            lastSuffix = max(lastSuffix + 1, UInt64(Timestamp.now.milliseconds) << 5)
            let id = JobID.derived(from: name, suffix: JobID.sortable(lastSuffix, width: JobID.suffixWidth))
            if !ledger.isUsed(id) { return id }
        }
    }

    /// Accepts a job that nobody dropped: the daemon itself wants it. A crash before the rename leaves it in `.staging/`,
    /// where the next daemon goes on with it.
    func originate(_ task: TaskRecord, files: [String: [UInt8]]) throws {
        let staging = ledger.spool.staging
        try staging.makeDirectory(task.id.text)
        do {
            let staged = try staging.directory(task.id.text)
            for (name, bytes) in files { try staged.write(bytes, to: name) }
            try commit(staged, named: task.id.text, try admission.place(task, now: task.acceptedAt))
        } catch {
            // What could not be made whole was not wanted yet: whoever wants it comes again.
            if staging.contains(task.id.text) { try staging.removeTree(task.id.text) }
            throw error
        }
    }

    /// What a job that nobody dropped has before it is accepted.
    private static let originated = [SpoolLayout.Job.reasons, SpoolLayout.Job.prompt]

    // MARK: check and commit

    /// Only what was claimed counts: if it is not what was looked at, it is read again.
    private func check(
        _ staged: Directory, named stagingName: String, id: JobID, original: EntryName, queue: String?, file: TaskFile?,
        seen: (bytes: [UInt8], status: FileStatus)?
    ) throws(SystemFault) {
        var bytes = seen?.bytes ?? []
        var file = file
        guard let status = try staged.status(SpoolLayout.Job.drop) else {
            throw SystemFault("find", staged.path + "/" + SpoolLayout.Job.drop, errno: ENOENT)
        }
        func reject(_ record: RejectionRecord) throws(SystemFault) {
            try rejecter.reject(SpoolLayout.Job.drop, in: staged, as: original, record)
            try ledger.spool.staging.removeTree(stagingName)
        }
        if seen == nil || !status.isSameContent(as: seen!.status) {
            guard status.kind == .file, let read = try staged.read(SpoolLayout.Job.drop, limit: Defaults.taskBytes) else {
                return try reject(RejectionRecord(code: "not_a_file", message: "it is \(status.kind.words), not a regular file", file: original.display))
            }
            bytes = read.bytes
            switch DroppedText(bytes, original) {
            case .task(let parsed): file = parsed
            case .fault(let record, _): return try reject(record)
            }
        }
        guard let file else { return }
        do {
            try commit(staged, named: stagingName, try admission.admit(
                Admission.Request(file: file, id: id, inboxQueue: queue, uid: status.uid, now: .now)))
            try? rejecter.forgetReason(of: original)
        } catch let fault as SystemFault {
            throw fault
        } catch let fault as TaskFault {
            try reject(RejectionRecord(fault, file: original.display, text: bytes))
        } catch {
            // The index could not answer; the task is as good as it was.
            throw SystemFault("ask the index about", id.text, errno: EIO)
        }
    }

    private func commit(_ staged: Directory, named stagingName: String, _ admitted: Admission.Admitted) throws {
        let task = admitted.task
        var elements: [TaskRecord] = []
        if case .tasks(let tasks) = task.verb {
            elements = try admission.admitElements(of: task, tasks: tasks, now: task.acceptedAt)
            try stage(elements, in: staged)
        }
        if case .ready = admitted.readiness { willQueue(task) }
        let json = task.json
        try ledger.spool.blanks.write(JSONWriter.write(json), to: SpoolLayout.Job.task, in: staged)
        if case .wake = task.verb, !staged.contains(SpoolLayout.Job.reasons) {
            try staged.write(JSONWriter.write(Wakes.reason(of: task).json, .line), to: SpoolLayout.Job.reasons)
        }
        if case .ready = admitted.readiness { try onQueueing(task) }
        var row = JobRow(task: task, state: .queued, waiting: nil, run: nil, result: nil, json: json)
        switch admitted.readiness {
        case .ready:
            try ledger.move(row, from: ledger.spool.staging, named: stagingName, to: .queued, event: "accepted", Self.details(task))
        case .waits(let state):
            try staged.write(JSONWriter.write(state.json), to: SpoolLayout.Job.state)
            row = JobRow(task: task, state: .waiting, waiting: state, run: nil, result: nil)
            try ledger.move(row, from: ledger.spool.staging, named: stagingName, to: .waiting, event: "accepted", Self.details(task))
        case .ends(let outcome, let error):
            var result = ResultRecord(id: task.id, outcome: outcome, error: error, attempts: 0, queuedAt: task.acceptedAt, finishedAt: .now)
            if admitted.isJoining { result.wake = try onJoining(task) }
            // With its result it can't be taken for one that waits, should the daemon die before it is where it belongs.
            try staged.write(JSONWriter.write(result.json), to: SpoolLayout.Job.result)
            row = JobRow(task: task, state: .waiting, waiting: nil, run: nil, result: nil)
            try ledger.move(row, from: ledger.spool.staging, named: stagingName, to: .waiting, event: "accepted", Self.details(task))
            onAccepted(row, task)
            return try finish(task, result)
        }
        if row.state == .queued { ledger.cache(task, isAccepted: true) }
        ledger.reserve(elements.map(\.id))
        if !admitted.supersedes.isEmpty { onSuperseded(admitted.supersedes, task.id) }
        onAccepted(row, task)
    }

    private static func details(_ task: TaskRecord) -> JSONObject {
        var details: JSONObject = ["verb": .string(task.verb.name), "uid": .number(task.uid)]
        details["key"] = .optional(task.options.key)
        details["parent"] = .optional(task.options.parent)
        return details
    }

    /// The jobs of a batch are made whole inside its directory, so that the batch's one rename accepts all of them.
    private func stage(_ elements: [TaskRecord], in staged: Directory) throws(SystemFault) {
        try staged.removeTree(SpoolLayout.Job.jobs)
        try staged.makeDirectory(SpoolLayout.Job.jobs)
        let jobs = try staged.directory(SpoolLayout.Job.jobs)
        for element in elements {
            try jobs.makeDirectory(element.id.text)
            let job = try jobs.directory(element.id.text)
            let bytes = JSONWriter.write(element.json)
            try job.write(bytes, to: SpoolLayout.Job.task)
        }
    }

    // MARK: after a crash

    /// Goes on with what was in `.staging/` when the daemon died. What one of them lacks keeps none of the others.
    /// - Parameter warn: is told of what nobody here has put there; it is left alone.
    func recover(warn: (String) -> Void) throws {
        var failure: (any Error)?
        for entry in try ledger.spool.staging.entries() where entry.kind == .directory {
            let name = entry.name.display
            if Archiver.isOurs(name) || entry.name.hasPrefix(".") { continue }
            do {
                if let what = try goOn(with: name) { warn(".staging/\(name): \(what)") }
            } catch let damage as DamagedRecord {
                warn(damage.description)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// - Returns: what is wrong with it, where it can't be gone on with.
    private func goOn(with name: String) throws -> String? {
        let staged = try ledger.spool.staging.directory(name)
        if let id = Requeue.id(ofStaged: name) {
            ledger.reserve([id])
            try requeue.queueAgain(staged: id, task: try ledger.task(id, in: staged))
            ledger.release(id)
            return nil
        }
        let parts = name.split(separator: "@", maxSplits: 1).map(String.init)
        guard let id = parts.first.flatMap(JobID.init) else { return "it is no job; move it away" }
        if staged.contains(SpoolLayout.Job.drop) {
            ledger.events.append("recovered_from_staging", job: id)
            // What it was going to be is decided anew.
            for file in [SpoolLayout.Job.task, SpoolLayout.Job.state, SpoolLayout.Job.result, SpoolLayout.Job.reasons] { try staged.removeFile(file) }
            // Until it has its place, no other takes its name.
            ledger.reserve([id])
            try check(staged, named: name, id: id, original: EntryName(id.text + ".json"), queue: parts.count > 1 ? parts[1] : nil, file: nil, seen: nil)
            ledger.release(id)
        } else if try staged.isEmpty() {
            try ledger.spool.staging.removeEmptyDirectory(name)
        } else if staged.contains(SpoolLayout.Job.jobs), !staged.contains(SpoolLayout.Job.task) {
            // Its file was given back, or rejected, and this is the rest of it.
            try ledger.spool.staging.removeTree(name)
        } else if Self.originated.contains(where: staged.contains), ((try? staged.readTask()) ?? nil) == nil {
            // What the daemon itself was about to want: it wants it again.
            try ledger.spool.staging.removeTree(name)
        } else if let task = try staged.readTask(), task.id == id {
            // A job that was being put back after a power cut.
            try commit(staged, named: name, try admission.place(task, now: .now))
        } else {
            return "it is no job; move it away"
        }
        return nil
    }
}

extension Directory {
    /// The result, or `nil` where there is none or it was cut short.
    func readResultIfWhole() throws -> ResultRecord? {
        do { return try readResult() } catch is DamagedRecord { return nil }
    }
}
