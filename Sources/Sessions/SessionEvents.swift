import CLinux
import Glibc
import SpoolFormat

/// `events.jsonl`: what an agent does, a line each, as it happens.
final class SessionEvents {
    private let directory: Directory
    private let turn: JobID
    private var file: Int32 = -1

    /// - Parameter directory: the session's; or the job's, where there is no session.
    init(in directory: Directory, turn: JobID) {
        self.directory = directory
        self.turn = turn
    }

    deinit { if file >= 0 { close(file) } }

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
