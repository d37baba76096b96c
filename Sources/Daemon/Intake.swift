import Glibc
import JobIndex
import SpoolFormat

/// Takes dropped files in: look, claim, check, commit. Each step can be done again after a crash.
final class Intake {
    /// How many files one round takes in before others have their turn.
    private static let batch = 128

    private let ledger: Ledger
    private let queues: QueueBook
    private let admission: Admission
    private let rejecter: Rejecter
    private let retry: Requeue
    private var inboxes: [String: Inbox] = [:]
    private var lastSuffix: UInt64 = 0

    /// Jobs that came to `queued/` and are not for a runner: control verbs and batches.
    var onAccepted: (JobRow, TaskRecord) -> Void = { _, _ in }
    var onSuperseded: ([JobRow], JobID) -> Void = { _, _ in }
    /// A sub-directory of `inbox/` was found, or one is gone.
    var onInboxes: ([String]) -> Void = { _ in }

    init(ledger: Ledger, queues: QueueBook, retry: Requeue) {
        self.ledger = ledger
        self.queues = queues
        self.retry = retry
        admission = Admission(ledger: ledger, queues: queues)
        rejecter = Rejecter(ledger: ledger)
        inboxes[""] = Inbox(queue: nil, directory: ledger.spool.inbox)
    }

    /// One directory that tasks are dropped into.
    private final class Inbox {
        let queue: String?
        var directory: Directory
        var mustLook = true
        var pending: [EntryName] = []
        var settling = Settling()

        init(queue: String?, directory: Directory) {
            self.queue = queue
            self.directory = directory
        }

        var path: String { queue.map { SpoolLayout.inbox + "/" + $0 } ?? SpoolLayout.inbox }
    }

    // MARK: look

    /// Something may have happened in the inbox of `queue`; `nil` is `inbox/` itself.
    func hint(_ queue: String?) { inboxes[queue ?? ""]?.mustLook = true }

    func hintAll() { for inbox in inboxes.values { inbox.mustLook = true } }

    var hasMore: Bool { inboxes.values.contains { $0.mustLook || !$0.pending.isEmpty } }

    /// When a file that has not settled is to be looked at again.
    var nextLook: TimeSpan? { inboxes.values.compactMap(\.settling.nextLook).min() }

    /// Lets files that have not settled be looked at again.
    func lookAtUnsettled() { for inbox in inboxes.values where !inbox.settling.isEmpty { inbox.mustLook = true } }

    /// Takes in a batch from each inbox that has something.
    func work() throws(SystemFault) {
        for key in inboxes.keys.sorted() {
            guard let inbox = inboxes[key] else { continue }
            if inbox.pending.isEmpty, inbox.mustLook {
                inbox.mustLook = false
                do throws(SystemFault) { try list(inbox) } catch where error.isMissing && inbox.queue != nil {
                    inboxes[key] = nil
                }
            }
            for _ in 0..<Self.batch {
                guard let name = inbox.pending.popLast() else { break }
                do throws(SystemFault) {
                    try process(name, in: inbox)
                } catch {
                    if error.isMissing { continue }
                    inbox.mustLook = true
                    throw error
                }
            }
        }
    }

    /// Reads the directory once and puts its files in the order they came: a rename into a directory sets the time of
    /// change, and so does the last write.
    private func list(_ inbox: Inbox) throws(SystemFault) {
        inbox.directory = try inbox.queue.map { queue throws(SystemFault) in try ledger.spool.inbox.directory(queue) } ?? ledger.spool.inbox
        var found: [(changed: Int64, name: EntryName)] = []
        var queues: [String] = []
        for entry in try inbox.directory.entries() where !Self.isIgnored(entry.name) {
            if inbox.queue == nil, entry.kind == .directory, isQueue(entry.name) {
                queues.append(entry.name.display)
                continue
            }
            guard let status = try inbox.directory.status(entry.name) else { continue }
            found.append((status.changed, entry.name))
        }
        found.sort { left, right in
            left.changed != right.changed ? left.changed > right.changed : right.name.bytes.lexicographicallyPrecedes(left.name.bytes)
        }
        inbox.pending = found.map(\.name)
        if inbox.queue == nil { adopt(queues) }
    }

    /// A directory in `inbox/` with a legal name is a queue, unless it is a job that somebody moved back.
    private func isQueue(_ name: EntryName) -> Bool {
        guard QueueName.check(name.display) != nil, let directory = try? ledger.spool.inbox.directory(name) else { return false }
        return (try? directory.readTask()) == nil
    }

    private func adopt(_ found: [String]) {
        for name in found where inboxes[name] == nil {
            guard let directory = try? ledger.spool.inbox.directory(name) else { continue }
            inboxes[name] = Inbox(queue: name, directory: directory)
        }
        for name in inboxes.keys where !name.isEmpty && !found.contains(name) { inboxes[name] = nil }
        onInboxes(found)
    }

    private static func isIgnored(_ name: EntryName) -> Bool {
        name.hasPrefix(".") || name.hasPrefix("#") || [".tmp", ".part", ".swp", "~"].contains(where: name.hasSuffix)
    }

    private func process(_ name: EntryName, in inbox: Inbox) throws(SystemFault) {
        guard let status = try inbox.directory.status(name) else { return inbox.settling.forget(name) }
        switch status.kind {
        case .file: try look(name, status, in: inbox)
        case .directory: try takeDirectory(name, status, in: inbox)
        default:
            try reject(name, in: inbox, RejectionRecord(
                code: "not_a_file", message: "it is \(status.kind.words), not a regular file", file: name.display,
                expected: "a regular file", hint: "drop the task itself; links are not followed"))
        }
    }

    private func look(_ name: EntryName, _ status: FileStatus, in inbox: Inbox) throws(SystemFault) {
        func rejectOnceSettled(_ record: @autoclosure () -> RejectionRecord) throws(SystemFault) {
            if inbox.settling.hasSettled(name, status, in: inbox.directory) { try reject(name, in: inbox, record()) }
        }
        guard name.hasSuffix(".json") else {
            return try rejectOnceSettled(RejectionRecord(
                code: "wrong_name", message: "the name does not end in .json", file: name.display,
                expected: "a name that ends in .json", hint: "rename it to \(name.display).json"))
        }
        if inbox.queue != nil, Self.namesOfRecords.contains(name) {
            // The directory may be a copy of a job that is still being made, and no queue.
            guard inbox.settling.hasSettled(name, status, in: inbox.directory) else { return }
        }
        if status.links > 1 {
            let isForeign = status.uid != geteuid() && status.uid != 0
            guard inbox.settling.hasSettled(name, status, in: inbox.directory) else { return }
            if isForeign {
                return try reject(name, in: inbox, RejectionRecord(
                    code: "second_name", message: "the file has another name, and belongs to user \(status.uid)",
                    file: name.display, expected: "a file with one name", hint: "copy it, do not link it"))
            }
        }
        guard status.size <= Defaults.taskBytes else {
            return try rejectOnceSettled(Self.tooLarge(name, status.size))
        }
        let content: (bytes: [UInt8], status: FileStatus)
        do {
            guard let read = try inbox.directory.read(name, limit: Defaults.taskBytes) else { return }
            content = read
        } catch where error.errno == EACCES || error.errno == EPERM {
            return try rejectOnceSettled(RejectionRecord(
                code: "unreadable", message: "the daemon's user can't read it (mode \(String(status.mode, radix: 8)))",
                file: name.display, hint: "chmod u+r or g+r before dropping"))
        }
        switch Self.parse(content.bytes, name) {
        case .task(let file): try claim(name, file, content, in: inbox)
        case .fault(let record, true): try rejectOnceSettled(record)
        case .fault(let record, false): try reject(name, in: inbox, record)
        }
    }

    private static let namesOfRecords = Set(
        [SpoolLayout.Job.drop, SpoolLayout.Job.task, SpoolLayout.Job.state, SpoolLayout.Job.run, SpoolLayout.Job.exit,
         SpoolLayout.Job.output, SpoolLayout.Job.result].map { EntryName($0) })

    private enum Parsed {
        case task(TaskFile)
        /// Whether the rest may yet come.
        case fault(RejectionRecord, mayBeUnfinished: Bool)
    }

    private static func parse(_ bytes: [UInt8], _ name: EntryName) -> Parsed {
        guard bytes.count <= Defaults.taskBytes else {
            return .fault(tooLarge(name, Int64(bytes.count)), mayBeUnfinished: true)
        }
        let json: JSON
        do { json = try JSONReader.read(bytes) } catch {
            return .fault(RejectionRecord(error, file: name.display), mayBeUnfinished: true)
        }
        do { return .task(try TaskReader.read(json)) } catch {
            // Only an object is known to be whole: `12` may become `123`.
            return .fault(RejectionRecord(error, file: name.display, text: bytes), mayBeUnfinished: json.object == nil)
        }
    }

    private static func tooLarge(_ name: EntryName, _ size: Int64) -> RejectionRecord {
        RejectionRecord(
            code: "too_large", message: "it has \(size) bytes or more", file: name.display,
            expected: "at most \(Defaults.taskBytes) bytes", hint: "put long input into a file and name it by \"stdin\"")
    }

    private func reject(_ name: EntryName, in inbox: Inbox, _ record: RejectionRecord) throws(SystemFault) {
        inbox.settling.forget(name)
        try rejecter.reject(name, in: inbox.directory, as: name, record)
    }

    // MARK: claim

    /// In `.staging/` a directory's name tells where its file came from: `<id>`, or `<id>@<queue>`.
    private static func stagingName(_ id: JobID, _ queue: String?) -> String { queue.map { "\(id)@\($0)" } ?? id.text }

    private func claim(
        _ name: EntryName, _ file: TaskFile, _ seen: (bytes: [UInt8], status: FileStatus), in inbox: Inbox
    ) throws(SystemFault) {
        let staging = ledger.spool.staging
        let id = freeID(for: name)
        let stagingName = Self.stagingName(id, inbox.queue)
        try staging.makeDirectory(stagingName)
        let staged: Directory
        do {
            staged = try staging.directory(stagingName)
            try inbox.directory.rename(name, to: staged, as: SpoolLayout.Job.drop)
        } catch {
            try? staging.removeEmptyDirectory(stagingName)
            throw error
        }
        inbox.settling.forget(name)
        do throws(SystemFault) {
            try check(staged, named: stagingName, id: id, original: name, queue: inbox.queue, file: file, seen: seen)
        } catch {
            try giveBack(staged, stagingName, as: name, to: inbox.directory)
            throw error
        }
    }

    /// What could not be taken in for want of room goes back where it was dropped, to be taken in later.
    private func giveBack(_ staged: Directory, _ stagingName: String, as name: EntryName, to inbox: Directory) throws(SystemFault) {
        guard staged.contains(SpoolLayout.Job.drop), ledger.spool.staging.contains(stagingName) else { return }
        for file in [SpoolLayout.Job.task, SpoolLayout.Job.state, SpoolLayout.Job.result] { try staged.removeFile(file) }
        try staged.rename(SpoolLayout.Job.drop, to: inbox, as: name)
        try ledger.spool.staging.removeEmptyDirectory(stagingName)
    }

    private func freeID(for name: EntryName) -> JobID {
        if let id = JobID(fileName: name), !isTaken(id) { return id }
        while true {
            lastSuffix = max(lastSuffix + 1, UInt64(Timestamp.now.milliseconds) << 5)
            let id = JobID.derived(from: name.display, suffix: JobID.sortable(lastSuffix, width: 10))
            if !isTaken(id) { return id }
        }
    }

    private func isTaken(_ id: JobID) -> Bool { ledger.spool.isUsed(id) }

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
            switch Self.parse(bytes, original) {
            case .task(let parsed): file = parsed
            case .fault(let record, _): return try reject(record)
            }
        }
        guard let file else { return }
        do {
            try commit(staged, named: stagingName, try admission.admit(
                Admission.Request(file: file, id: id, inboxQueue: queue, uid: status.uid, now: .now)))
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
        if case .tasks(let tasks) = task.verb {
            let elements = try admission.admitElements(of: task, tasks: tasks, now: task.acceptedAt)
            try stage(elements, in: staged)
        }
        try staged.write(JSONWriter.write(task.json), to: SpoolLayout.Job.task)
        var row = JobRow(task: task, state: .queued, waiting: nil, run: nil, result: nil)
        switch admitted.readiness {
        case .ready:
            try ledger.move(row, from: ledger.spool.staging, named: stagingName, to: .queued, event: "accepted", Self.details(task))
        case .waits(let state):
            try staged.write(JSONWriter.write(state.json), to: SpoolLayout.Job.state)
            row = JobRow(task: task, state: .waiting, waiting: state, run: nil, result: nil)
            try ledger.move(row, from: ledger.spool.staging, named: stagingName, to: .waiting, event: "accepted", Self.details(task))
        case .ends(let outcome, let error):
            let result = ResultRecord(id: task.id, outcome: outcome, error: error, attempts: 0, queuedAt: task.acceptedAt, finishedAt: .now)
            try staged.write(JSONWriter.write(result.json), to: SpoolLayout.Job.result)
            row = JobRow(task: task, state: outcome.state, waiting: nil, run: nil, result: result)
            try ledger.move(row, from: ledger.spool.staging, named: stagingName, to: outcome.state, event: "accepted", Self.details(task))
        }
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

    // MARK: directories, and what a crash has left

    /// A job that somebody moved back into the inbox is retried.
    private func takeDirectory(_ name: EntryName, _ status: FileStatus, in inbox: Inbox) throws(SystemFault) {
        let directory = try inbox.directory.directory(name)
        let task = try? directory.readTask()
        guard let task, let id = JobID(name) else {
            // A copy that is still being made shows its task.json a moment later.
            guard inbox.settling.hasSettled(name, status, in: inbox.directory) else { return }
            return try reject(name, in: inbox, RejectionRecord(
                code: "not_a_job", message: "it is a directory without the task.json of a job", file: name.display,
                expected: "a task file, or a directory from done/ or failed/",
                hint: inbox.queue == nil ? "a queue's name has letters, digits, '.', '_' and '-'" : "a queue holds no queues"))
        }
        guard task.id == id else {
            return try reject(name, in: inbox, RejectionRecord(
                code: "wrong_name", message: "it is the directory of the job \(task.id)", file: name.display,
                expected: "the name \(task.id)", hint: "move it here under its own name"))
        }
        guard status.uid == geteuid() || status.uid == 0, !ledger.spool.isUsed(id) else {
            let message = ledger.spool.isUsed(id) ? "there already is a job called \(id)" : "it belongs to user \(status.uid)"
            return try reject(name, in: inbox, RejectionRecord(code: "id_in_use", message: message, file: name.display))
        }
        inbox.settling.forget(name)
        try inbox.directory.rename(name, to: ledger.spool.staging, as: id.text)
        try retry.queueAgain(staged: id, task: task)
    }

    /// Goes on with what was in `.staging/` when the daemon died.
    func recoverStaging() throws {
        for entry in try ledger.spool.staging.entries() {
            let name = entry.name.display
            let parts = name.split(separator: "@", maxSplits: 1).map(String.init)
            guard let id = parts.first.flatMap(JobID.init), entry.kind == .directory, !Leaving.isOurs(name) else { continue }
            let staged = try ledger.spool.staging.directory(name)
            if try staged.readResultIfWhole() != nil || staged.contains(SpoolLayout.Job.attempts) || staged.contains(SpoolLayout.Job.run),
                let task = try? staged.readTask()
            {
                try retry.queueAgain(staged: id, task: task)
            } else if staged.contains(SpoolLayout.Job.drop) {
                ledger.events.append("recovered_from_staging", job: id)
                try check(staged, named: name, id: id, original: EntryName(id.text + ".json"), queue: parts.count > 1 ? parts[1] : nil, file: nil, seen: nil)
            } else {
                try ledger.spool.staging.removeEmptyDirectory(name)
            }
        }
    }
}

extension Directory {
    /// The result, or `nil` where there is none or it was cut short.
    func readResultIfWhole() throws -> ResultRecord? {
        do { return try readResult() } catch is DamagedRecord { return nil }
    }
}
