import Glibc
import SpoolFormat

/// Drops tasks that commands make, under names that tell what they are: `hold-8k2m…`.
struct TaskDropper {
    private let inbox: InboxWriter
    private var names = GeneratedName()

    /// - Parameter spool: the spool's absolute path. Who may only drop into it need not be able to list it.
    init(spool: String) throws { inbox = try InboxWriter(spool + "/" + SpoolLayout.inbox) }

    /// Checks the task and drops it. Within a job, the job is its parent.
    /// - Parameter id: the job's, where one is asked for; without it, one that begins with `prefix`.
    mutating func drop(_ task: JSONObject, named prefix: String, as id: JobID? = nil) throws -> DroppedFile {
        var task = task
        if task["parent"] == nil { task["parent"] = .optional(Terminal.environment("ROUSE_JOB_ID").flatMap { JobID($0)?.text }) }
        let text = try TaskText(task)
        if let id {
            guard let file = try inbox.drop(text, as: id) else { throw JobIDOption.taken(id) }
            return file
        }
        while true {
            if let file = try inbox.drop(text, as: JobID.derived(from: prefix, suffix: names.next())) { return file }
        }
    }
}

extension DaemonProbe {
    /// For commands that wait for what comes of them.
    static func need(_ spool: String) throws {
        guard DaemonProbe(spool: spool).state == .stopped else { return }
        throw CommandFault(
            "no daemon is running, so nothing would happen now; \(advice), or use --no-wait to leave it to the next one", .unavailable)
    }
}
