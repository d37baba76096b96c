import CLinux
import Glibc
import SpoolFormat

/// `events.jsonl`: what an agent does, a line each, as it happens.
final class SessionEvents {
    private let directory: Directory
    private let turn: JobID
    private var file: Int32 = -1
    /// Bytes that the agent may still have written of what it does.
    private var room = 64 << 20

    /// - Parameter directory: the session's; or the job's, where there is no session.
    init(in directory: Directory, turn: JobID) {
        self.directory = directory
        self.turn = turn
    }

    deinit { if file >= 0 { close(file) } }

    /// Appends what the agent says it does, as it says it. An agent that says it without end does not fill the disk: past
    /// 64 MiB in a turn nothing more of this kind is written, and that is said once.
    func append(fromAgent event: String, _ details: JSONObject) {
        guard room > 0 else { return }
        room -= JSONWriter.write(.object(details), .line).count
        guard room > 0 else {
            try? append("updates_left_out", ["message": "the agent said more than 64 MiB in this turn; the rest is in no event"])
            return
        }
        try? append(event, details)
    }

    /// Appends one event. One `write` a line, so that lines of several writers do not mix.
    func append(_ event: String, _ details: JSONObject = JSONObject()) throws(SystemFault) {
        if file < 0 {
            file = SpoolLayout.Session.events.withCString {
                rouse_openat(directory.descriptor, $0, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            }
            guard file >= 0 else { throw SystemFault("open", directory.path + "/" + SpoolLayout.Session.events) }
        }
        var object: JSONObject = ["at": .string(Timestamp.now.description), "event": .string(event), "turn": .string(turn.text)]
        for member in details.members { object[member.name] = member.value }
        guard writeAll(JSONWriter.write(.object(object), .line), to: file) else {
            throw SystemFault("write", directory.path + "/" + SpoolLayout.Session.events)
        }
    }
}
