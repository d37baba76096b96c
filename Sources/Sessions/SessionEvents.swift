import CLinux
import Glibc
import SpoolFormat

/// `events.jsonl`: what an agent does, a line each, as it happens.
///
/// It is begun anew when it has grown large; the one before is `events.1.jsonl`. The turn and the process that stays both
/// write, so each writes with the file locked, and only into the one that has the name: nothing comes into a file after it
/// has lost its name, and a reader that has read it to its end then has all of it.
final class SessionEvents {
    private let directory: Directory
    private let turn: JobID
    private var file: Int32 = -1
    /// No other writer has it locked. On a file system that has no locks, nothing is.
    private var isAlone = false
    /// Whether another writer is worth waiting for: it has let go of the lock in time, as far as is known.
    private var isPatient = true
    /// Bytes of a file, at which the next one is begun.
    private let longest: Int
    /// Bytes that the agent may still have written of what it does.
    private var room = 64 << 20
    /// Lines that are written together, where many come at once.
    private var held: [UInt8]?

    /// - Parameter directory: the session's; or the job's, where there is no session.
    init(in directory: Directory, turn: JobID, longest: Int = 64 << 20) {
        self.directory = directory
        self.turn = turn
        self.longest = longest
    }

    deinit { if file >= 0 { close(file) } }

    /// What the agent says within `body` is written in one piece.
    func together(_ body: () -> Void) {
        guard held == nil else { return body() }
        held = []
        body()
        try? flush()
        held = nil
    }

    /// Appends what the agent says it does, as it says it. An agent that says it without end does not fill the disk: past
    /// 64 MiB in a turn nothing more of this kind is written, and that is said once.
    func append(fromAgent event: String, _ details: JSONObject) {
        guard room > 0 else { return }
        let line = line(event, details)
        room -= line.count
        guard room > 0 else {
            try? append("updates_left_out", ["message": "the agent said more than 64 MiB in this turn; the rest is in no event"])
            return
        }
        guard let count = held?.count else {
            try? write(line)
            return
        }
        held?.append(contentsOf: line)
        if count + line.count > Self.mostHeld { try? flush() }
    }

    /// Appends one event.
    func append(_ event: String, _ details: JSONObject = JSONObject()) throws(SystemFault) {
        try flush()
        try write(line(event, details))
    }

    /// Bytes that are held back at most.
    private static let mostHeld = 1 << 20

    private func flush() throws(SystemFault) {
        guard let lines = held, !lines.isEmpty else { return }
        held = []
        try write(lines)
    }

    private func line(_ event: String, _ details: JSONObject) -> [UInt8] {
        var object: JSONObject = ["at": .string(Timestamp.now.description), "event": .string(event), "turn": .string(turn.text)]
        for member in details.members { object[member.name] = member.value }
        return JSONWriter.write(.object(object), .line)
    }

    // MARK: the file

    private var path: String { directory.path + "/" + SpoolLayout.Session.events }

    /// One `write` for all of it, so that lines of several writers do not mix.
    private func write(_ lines: [UInt8]) throws(SystemFault) {
        try lock()
        defer { if file >= 0 { rouse_unlock_file(file) } }
        var status = stat()
        // Only who has it locked may take its name away: nobody writes to it then.
        if isAlone, fstat(file, &status) == 0, status.st_size > 0, Int(status.st_size) + lines.count > longest, beginNext() { try lock() }
        guard writeAll(lines, to: file) else { throw SystemFault("write", path) }
    }

    /// - Returns: `false` where the file can't have another name. It then goes on growing: a prompt is not to wait for that.
    private func beginNext() -> Bool {
        (try? directory.rename(SpoolLayout.Session.events, to: directory, as: SpoolLayout.Session.eventsBefore, replacing: true)) != nil
    }

    /// Milliseconds that another writer is waited for. It holds the lock for one write, unless it is stopped or its disk
    /// hangs; then a line that may come into a file that has lost its name is better than a turn that stands still.
    private static let patience: Int64 = 2000

    /// Locks the open file; does without where that takes too long, and then does not wait again before it succeeds.
    private func awaitLock() {
        let deadline = Monotonic.now + (isPatient ? Self.patience : 0)
        while true {
            isAlone = rouse_lock_file(file) == 0 || (errno != EWOULDBLOCK && errno != EINTR)
            guard !isAlone, Monotonic.now < deadline else { break }
            // `flock` has no deadline, and the signal that would end one that waits is read from a descriptor. This is a
            // turn's own process, whose one thread has nothing else to do before the line is written.
            usleep(1000)
        }
        isPatient = isAlone
    }

    /// Opens the file that has the name, and locks it.
    private func lock() throws(SystemFault) {
        while true {
            if file < 0 {
                file = rouse_openat(
                    directory.descriptor, SpoolLayout.Session.events, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
                guard file >= 0 else { throw SystemFault("open", path) }
            }
            awaitLock()
            var (own, named) = (stat(), stat())
            if fstat(file, &own) == 0, fstatat(directory.descriptor, SpoolLayout.Session.events, &named, AT_SYMLINK_NOFOLLOW) == 0,
                own.st_ino == named.st_ino, own.st_dev == named.st_dev
            { return }
            // Another writer has begun the next one, or somebody took it away.
            close(file)
            file = -1
        }
    }
}
