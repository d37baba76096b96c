import CLinux
import Glibc
import SpoolFormat

/// `transcript.jsonl`: what was said in a session, in order, two lines a turn.
struct Transcript {
    private let directory: Directory

    init(of session: String, in spool: Spool) throws(SystemFault) { directory = try spool.sessions.directory(session) }

    /// Adds a turn. One that is there already is not added again: the daemon may have died just after it was written.
    func append(_ turn: TurnRecord, _ reply: ReplyRecord?, _ result: ResultRecord) throws(SystemFault) {
        let mark = "\(result.id)#\(result.attempts)"
        guard try !tail(16 << 10).contains("\"mark\":\"\(mark)\",\"role\":\"agent\"") else { return }
        var said: JSONObject = [
            "mark": .string(mark), "role": "user", "turn": .string(turn.id.text), "source": .string(turn.source.rawValue),
            "at": .string((result.startedAt ?? result.finishedAt).description), "text": .string(turn.text),
        ]
        if turn.content.contains(where: { if case .text = $0 { false } else { true } }) { said["content"] = .array(turn.content.map(\.json)) }
        said["display"] = .optional(turn.display)
        said["reasons"] = turn.reasons.isEmpty ? nil : .array(turn.reasons.map(\.json))
        var answered: JSONObject = [
            "mark": .string(mark), "role": "agent", "turn": .string(turn.id.text), "at": .string(result.finishedAt.description),
            "text": .string(reply?.text ?? ""), "outcome": .string(result.outcome.rawValue),
        ]
        answered["stop_reason"] = .optional(reply?.stopReason)
        answered["error"] = result.error?.json
        answered["usage"] = result.usage?.json
        // One write for both: a turn is whole in it or not there.
        try write(JSONWriter.write(.object(said), .line) + JSONWriter.write(.object(answered), .line))
    }

    private func write(_ bytes: [UInt8]) throws(SystemFault) {
        let name = SpoolLayout.Session.transcript
        let file = rouse_openat(directory.descriptor, name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemFault("open", directory.path + "/" + name) }
        defer { close(file) }
        let end = lseek(file, 0, SEEK_END)
        guard writeAll(bytes, to: file) else {
            let fault = SystemFault("write", directory.path + "/" + name)
            ftruncate(file, end)
            throw fault
        }
    }

    /// The last lines, as text for an agent that has lost the conversation: at most `limit` bytes.
    func summary(limit: Int = 32 << 10) throws(SystemFault) -> String? {
        var lines: [String] = []
        for line in try tail(limit * 2).split(separator: "\n") {
            guard let json = try? JSONReader.read(Array(line.utf8)), let role = json["role"]?.string, let text = json["text"]?.string, !text.isEmpty
            else { continue }
            lines.append((role == "user" ? "They said: " : "You answered: ") + text)
        }
        guard !lines.isEmpty else { return nil }
        var text = lines.joined(separator: "\n\n")
        if text.utf8.count > limit { text = "…" + String(decoding: text.utf8.suffix(limit), as: UTF8.self) }
        return "This conversation goes on from an earlier one that you do not remember. Its end was:\n\n" + text
    }

    private func tail(_ count: Int) throws(SystemFault) -> String {
        let name = SpoolLayout.Session.transcript
        let file = rouse_openat(directory.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard file >= 0 else {
            if errno == ENOENT { return "" }
            throw SystemFault("open", directory.path + "/" + name)
        }
        defer { close(file) }
        let end = lseek(file, 0, SEEK_END)
        let start = max(0, Int(end) - count)
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(end) - start) { buffer, filled in
            filled = max(0, pread(file, buffer.baseAddress!, Int(end) - start, off_t(start)))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
