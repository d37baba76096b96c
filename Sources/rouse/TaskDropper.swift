import Glibc
import SpoolFormat

/// Drops tasks that commands make, under names that tell what they are: `hold-8k2m…`.
struct TaskDropper {
    private let inbox: InboxWriter
    private var names = GeneratedName()

    /// - Parameter spool: the spool's absolute path. Who may only drop into it need not be able to list it.
    init(spool: String) throws { inbox = try InboxWriter(spool + "/" + SpoolLayout.inbox) }

    /// Checks the task and drops it. Within a job, the job is its parent.
    mutating func drop(_ task: JSONObject, named prefix: String) throws -> JobID {
        var task = task
        if task["parent"] == nil { task["parent"] = .optional(Terminal.environment("ROUSE_JOB_ID").flatMap { JobID($0)?.text }) }
        let bytes = try TaskText(task).bytes
        while true {
            let name = prefix + "-" + names.next()
            if try inbox.drop(bytes, as: name + ".json") { return JobID(name)! }
        }
    }

    static func printIDs(_ ids: [JobID], json: Bool) {
        if json { return Output.write(ids.flatMap { JSONWriter.write(["id": .string($0.text)], .line) }) }
        for id in ids { Output.print(id.text) }
    }
}

extension DaemonProbe {
    /// For commands that wait for what comes of them.
    static func need(_ spool: String) throws {
        guard DaemonProbe(spool: spool).state == .stopped else { return }
        throw CommandFault(
            "no daemon is running, so nothing would happen now; \(advice), or use --no-wait to leave it to the next one", .unavailable)
    }

    /// For commands that only drop.
    static func remark(_ spool: String) {
        guard DaemonProbe(spool: spool).state == .stopped else { return }
        Terminal.complain("no daemon is running; this will be taken in when one is (\(advice))")
    }
}
