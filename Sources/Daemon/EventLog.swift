import CLinux
import Glibc
import SpoolFormat

/// `events/<day>.jsonl`: everything that happened, a line each.
///
/// Lines gather until `flush` and then go out in one write, so a line is never torn by a crash of the daemon; a write
/// that a full disk cuts short is taken back and tried again with the next one.
final class EventLog {
    /// What is kept in memory while nothing can be written. The oldest lines then give way: the events tell what
    /// happened, the directories what is.
    private static let mostBuffered = 4 << 20

    private let spool: Spool
    private var directory: Directory { spool.events }
    /// Lines that have not been put into words yet: that has time until what they tell of has gone on.
    private var lines: [JSONObject] = []
    private var buffer: [UInt8] = []
    private var file: Int32 = -1
    private var day = ""
    private(set) var lost = 0

    init(_ spool: Spool) { self.spool = spool }

    deinit { if file >= 0 { close(file) } }

    func append(_ event: String, job: JobID? = nil, _ details: JSONObject = JSONObject(), at now: Timestamp = .now) {
        var line: JSONObject = ["at": .string(now.description), "event": .string(event)]
        line["job"] = .optional(job?.text)
        for member in details.members { line[member.name] = member.value }
        lines.append(line)
    }

    private func writeLines() {
        for line in lines {
            let bytes = JSONWriter.write(.object(line), .line)
            if buffer.count + bytes.count <= Self.mostBuffered { buffer.append(contentsOf: bytes) } else { lost += 1 }
        }
        lines.removeAll(keepingCapacity: lines.count < 256)
    }

    /// Writes what has gathered.
    func flush() throws(SystemFault) {
        writeLines()
        guard !buffer.isEmpty else { return }
        try openToday()
        let start = lseek(file, 0, SEEK_END)
        guard writeAll(buffer, to: file) else {
            let fault = SystemFault("write", directory.path + "/" + day + ".jsonl")
            ftruncate(file, start)
            throw fault
        }
        buffer.removeAll(keepingCapacity: buffer.count < 1 << 16)
    }

    private func openToday() throws(SystemFault) {
        let today = Timestamp.now.day
        // Somebody may have moved the file away; a line written to it then would be lost to who reads the directory.
        if today == day, file >= 0, directory.contains(day + ".jsonl") { return }
        if file >= 0 { close(file) }
        file = rouse_openat(directory.descriptor, today + ".jsonl", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemFault("open", directory.path + "/" + today + ".jsonl") }
        day = today
    }
}
