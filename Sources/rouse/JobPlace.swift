import Glibc
import JobIndex
import SpoolFormat

/// Where a job, or a file that is to become one, is.
enum JobPlace: Equatable {
    case inbox
    case staging
    case job(JobState)
    case rejected
}

extension SpoolDirectory {
    /// Where `id` is now; `nil` where nothing is known by it.
    func place(of id: JobID) throws -> JobPlace? {
        // The places are looked at in the order in which a job goes through them, so that one that moves on meanwhile
        // is still met; one that moves back is met the next time.
        for _ in 0..<3 {
            let queues = try queueInboxes()
            if inboxHolds(id, queues) { return .inbox }
            if stagingHolds(id, queues) { return .staging }
            if let state = state(of: id) { return .job(state) }
        }
        return root.contains(SpoolLayout.rejected + "/" + id.text + ".json") ? .rejected : nil
    }

    /// The state of the job, if it was accepted.
    func state(of id: JobID) -> JobState? {
        for _ in 0..<2 {
            if let state = JobState.allCases.first(where: { root.contains($0.rawValue + "/" + id.text) }) { return state }
        }
        return nil
    }

    private func inboxHolds(_ id: JobID, _ queues: [String]) -> Bool {
        let name = id.text + ".json"
        // A job's directory in the inbox is a job that is to be retried.
        return root.contains("\(SpoolLayout.inbox)/\(name)") || root.contains("\(SpoolLayout.inbox)/\(id)/\(SpoolLayout.Job.task)")
            || queues.contains { root.contains("\(SpoolLayout.inbox)/\($0)/\(name)") }
    }

    /// What came in for a queue is staged as `<id>@<queue>`. The directory alone may be what is left of a file that was
    /// rejected: it goes after the reason was written, and nothing tells that it does.
    private func stagingHolds(_ id: JobID, _ queues: [String]) -> Bool {
        ([id.text] + queues.map { "\(id)@\($0)" }).contains { name in
            [SpoolLayout.Job.drop, SpoolLayout.Job.task].contains { root.contains("\(SpoolLayout.staging)/\(name)/\($0)") }
        }
    }

    /// The queues that have an inbox of their own.
    func queueInboxes() throws -> [String] {
        guard let inbox = try directory(SpoolLayout.inbox) else { return [] }
        var queues: [String] = []
        for entry in try inbox.entries() {
            guard let name = QueueName.check(entry.name.display) else { continue }
            if entry.kind == .directory, !inbox.contains(name + "/" + SpoolLayout.Job.task) {
                queues.append(name)
            } else if entry.kind == nil, try inbox.status(name)?.kind == .directory {
                queues.append(name)
            }
        }
        return queues
    }

    /// How many entries of the inboxes are not yet taken in.
    func backlog() throws -> Int {
        guard let inbox = try directory(SpoolLayout.inbox) else { return 0 }
        var count = 0
        for entry in try inbox.entries() where !entry.name.isIgnoredInInbox && entry.kind != .directory { count += 1 }
        for queue in try queueInboxes() {
            let names = try inbox.directory(queue).entries()
            count += names.count { !$0.name.isIgnoredInInbox }
        }
        return count
    }

    /// The id that the text is; a path to a job's directory or file is taken for its name.
    static func jobID(_ text: String) throws -> JobID {
        var name = text[...]
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        if let slash = name.lastIndex(of: "/") { name = name[name.index(after: slash)...] }
        if name != text[...], name.hasSuffix(".json") { name = name.dropLast(5) }
        guard let id = JobID(String(name)) else {
            throw CommandFault(
                "\"\(text)\" is no job id: letters, digits, '.', '_', '-', at most \(JobID.longest), starting with a letter or digit",
                .usage)
        }
        return id
    }

    /// Whether nothing is started because somebody has said so.
    var isPaused: Bool { root.contains(SpoolLayout.daemon + "/" + SpoolLayout.Daemon.pause) }

    var pauseText: String { "daemon/PAUSE is there, so nothing is started; rm \(path(SpoolLayout.daemon, SpoolLayout.Daemon.pause)) lets it go on" }

    /// The error file of what was rejected last under this name; `nil` where it is not written yet.
    func rejection(of id: JobID) -> JSON? {
        guard let rejected = try? directory(SpoolLayout.rejected) else { return nil }
        // A second file of the same name is kept as name~1.json, and so on.
        var name = id.text
        var number = 1
        while rejected.contains("\(id)~\(number).json") {
            name = "\(id)~\(number)"
            number += 1
        }
        guard let bytes = try? rejected.read(name + ".error.json")?.bytes else { return nil }
        return try? JSONReader.read(bytes)
    }

    func rejectionText(of id: JobID) -> String {
        rejection(of: id).map { "rejected: " + RejectionText($0).text } ?? RejectionText.missing("\(id).json", in: path)
    }
}
