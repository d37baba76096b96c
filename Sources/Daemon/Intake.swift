import Glibc
import JobIndex
import SpoolFormat

/// Looks at what was dropped: what is whole and right goes on to `Staging`, what is wrong is rejected, and what may yet
/// become right is looked at again.
final class Intake {
    /// How many files one round takes in before others have their turn: slots that fall free stay empty meanwhile.
    private static let batch = 16

    private let ledger: Ledger
    private let staging: Staging
    private let rejecter: Rejecter
    private let requeue: Requeue
    private var inboxes: [String: Inbox] = [:]

    /// A sub-directory of `inbox/` was found, or one is gone.
    var onInboxes: ([String]) -> Void = { _ in }

    /// Whether a runner is at work for the job.
    var isGuarded: (JobID) -> Bool = { _ in false }

    init(ledger: Ledger, staging: Staging, requeue: Requeue) {
        self.ledger = ledger
        self.staging = staging
        self.requeue = requeue
        rejecter = Rejecter(ledger: ledger)
        inboxes[""] = Inbox(queue: nil, directory: ledger.spool.inbox)
    }

    /// One directory that tasks are dropped into.
    private final class Inbox {
        let queue: String?
        var directory: Directory
        var mustLook = true
        var pending: [Directory.Entry] = []
        var settling = Settling()

        init(queue: String?, directory: Directory) {
            self.queue = queue
            self.directory = directory
        }
    }

    /// Something may have happened in the inbox of `queue`; `nil` is `inbox/` itself.
    func hint(_ queue: String?) { inboxes[queue ?? ""]?.mustLook = true }

    func hintAll() { for inbox in inboxes.values { inbox.mustLook = true } }

    /// Something has happened, perhaps in an inbox: a hint will tell where. While there are few it is quicker to look.
    func hintFew() { if inboxes.count <= Self.fewInboxes { hintAll() } }
    private static let fewInboxes = 4

    var hasMore: Bool { inboxes.values.contains { $0.mustLook || !$0.pending.isEmpty } }

    /// When a file that has not settled is to be looked at again.
    var nextLook: TimeSpan? { inboxes.values.compactMap(\.settling.nextLook).min() }

    /// Lets files that have not settled be looked at again.
    func lookAtUnsettled() { for inbox in inboxes.values where !inbox.settling.isEmpty { inbox.mustLook = true } }

    /// Takes in a batch from each inbox that has something.
    func work() throws(SystemFault) {
        var failure: SystemFault?
        for key in inboxes.keys.sorted() {
            guard let inbox = inboxes[key] else { continue }
            if inbox.pending.isEmpty, inbox.mustLook {
                inbox.mustLook = false
                do throws(SystemFault) { try list(inbox) } catch where error.isMissing && inbox.queue != nil {
                    inboxes[key] = nil
                }
            }
            for _ in 0..<Self.batch {
                guard let entry = inbox.pending.popLast() else { break }
                do throws(SystemFault) {
                    try process(entry, in: inbox)
                } catch {
                    if error.isMissing { continue }
                    inbox.mustLook = true
                    // What is wrong with one file is not wrong with the next; what the machine lacks, all files lack.
                    guard error.errno == EIO || error.errno == EACCES || error.errno == EPERM else { throw error }
                    failure = failure ?? error
                }
            }
        }
        if let failure { throw failure }
    }

    /// Reads the directory once and puts its files in the order they came: a rename into a directory sets the time of
    /// change, and so does the last write.
    private func list(_ inbox: Inbox) throws(SystemFault) {
        inbox.directory = try inbox.queue.map { queue throws(SystemFault) in try ledger.spool.inbox.directory(queue) } ?? ledger.spool.inbox
        if let queue = inbox.queue, ((try? inbox.directory.readTask()) ?? nil) != nil {
            // A copy of a job, and no queue: it had no task.json yet when it was first seen.
            inboxes[queue] = nil
            return hint(nil)
        }
        var found: [Directory.Entry] = []
        var queues: [String] = []
        for entry in try inbox.directory.entries() where !entry.name.isIgnoredInInbox {
            if inbox.queue == nil, entry.kind == .directory, isQueue(entry.name) {
                queues.append(entry.name.display)
                continue
            }
            found.append(entry)
        }
        inbox.pending = found.count < 2 ? found : try Self.sorted(found, in: inbox.directory)
        if inbox.queue == nil { adopt(queues) }
    }

    /// What came first is last.
    private static func sorted(_ entries: [Directory.Entry], in inbox: Directory) throws(SystemFault) -> [Directory.Entry] {
        var found: [(changed: Int64, entry: Directory.Entry)] = []
        found.reserveCapacity(entries.count)
        for entry in entries {
            if let status = try inbox.status(entry.name) { found.append((status.changed, entry)) }
        }
        found.sort { left, right in
            left.changed != right.changed
                ? left.changed > right.changed : right.entry.name.bytes.lexicographicallyPrecedes(left.entry.name.bytes)
        }
        return found.map(\.entry)
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

    private func process(_ entry: Directory.Entry, in inbox: Inbox) throws(SystemFault) {
        let name = entry.name
        // Most are task files that can be read, and then say what they are themselves.
        if entry.kind == .file, name.hasSuffix(".json"), let content = try? inbox.directory.read(name, limit: Defaults.taskBytes),
            content.status.kind == .file
        {
            return try look(name, content.status, content, in: inbox)
        }
        guard let status = try inbox.directory.status(name) else { return inbox.settling.forget(name) }
        switch status.kind {
        case .file: try look(name, status, nil, in: inbox)
        case .directory: try takeDirectory(name, status, in: inbox)
        default:
            try reject(name, in: inbox, RejectionRecord(
                code: "not_a_file", message: "it is \(status.kind.words), not a regular file", file: name.display,
                expected: "a regular file",
                hint: status.kind == .symbolicLink ? "drop the task itself; links are not followed" : "drop a file that holds the task"))
        }
    }

    private func look(
        _ name: EntryName, _ status: FileStatus, _ read: (bytes: [UInt8], status: FileStatus)?, in inbox: Inbox
    ) throws(SystemFault) {
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
            return try rejectOnceSettled(.tooLarge(status.size, file: name.display))
        }
        let content: (bytes: [UInt8], status: FileStatus)
        do {
            if let read {
                content = read
            } else {
                guard let read = try inbox.directory.read(name, limit: Defaults.taskBytes) else { return }
                content = read
            }
        } catch where error.errno == EACCES || error.errno == EPERM {
            return try rejectOnceSettled(RejectionRecord(
                code: "unreadable", message: "the daemon's user can't read it (mode \(String(status.mode, radix: 8)))",
                file: name.display, hint: "chmod u+r or g+r before dropping"))
        }
        switch DroppedText(content.bytes, name) {
        case .task(let file):
            inbox.settling.forget(name)
            try staging.take(name, file, content, from: inbox.directory, of: inbox.queue)
        case .fault(let record, true): try rejectOnceSettled(record)
        case .fault(let record, false): try reject(name, in: inbox, record)
        }
    }

    private static let namesOfRecords = Set(
        [SpoolLayout.Job.drop, SpoolLayout.Job.task, SpoolLayout.Job.state, SpoolLayout.Job.run, SpoolLayout.Job.exit,
         SpoolLayout.Job.output, SpoolLayout.Job.result].map { EntryName($0) })

    private func reject(_ name: EntryName, in inbox: Inbox, _ record: RejectionRecord) throws(SystemFault) {
        inbox.settling.forget(name)
        try rejecter.reject(name, in: inbox.directory, as: name, record)
    }

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
                hint: name.hasSuffix(".json") ? "a task is a file; a queue's directory has a name without .json"
                    : inbox.queue == nil ? "a queue's name has letters, digits, '.', '_' and '-'" : "a queue holds no queues"))
        }
        if isGuarded(id) {
            // Two attempts at once are nobody's wish.
            inbox.settling.forget(name)
            ledger.events.append("put_back", job: id, ["hint": "it is running; end it with: rouse cancel, or rouse recover"])
            return try inbox.directory.rename(name, to: ledger.spool.directory(of: .running), as: id.text)
        }
        guard task.id == id else {
            return try reject(name, in: inbox, RejectionRecord(
                code: "wrong_name", message: "it is the directory of the job \(task.id)", file: name.display,
                expected: "the name \(task.id)", hint: "move it here under its own name"))
        }
        guard status.uid == geteuid() || status.uid == 0, !ledger.isUsed(id) else {
            let message = ledger.isUsed(id) ? "there already is a job called \(id)" : "it belongs to user \(status.uid)"
            return try reject(name, in: inbox, RejectionRecord(code: "id_in_use", message: message, file: name.display))
        }
        inbox.settling.forget(name)
        do {
            try requeue.forgetVerbs(name, in: inbox.directory)
            try requeue.queueAgain(id, named: name, in: inbox.directory, task: task)
        } catch let fault as SystemFault {
            throw fault
        } catch {
            throw SystemFault("ask the index about", id.text, errno: EIO)
        }
    }
}
