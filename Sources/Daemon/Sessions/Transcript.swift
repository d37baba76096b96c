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
        guard try !endsWith(mark) else { return }
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

    /// The last lines, as text for an agent that has lost the conversation: at most `limit` bytes. What it is, the agent is
    /// told by its driver.
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
        return text
    }

    /// Whether the last turn in it is this one. What a crash has cut short is taken away, to be written anew.
    private func endsWith(_ mark: String) throws(SystemFault) -> Bool {
        let name = SpoolLayout.Session.transcript
        let file = rouse_openat(directory.descriptor, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0)
        guard file >= 0 else {
            if errno == ENOENT { return false }
            throw SystemFault("open", directory.path + "/" + name)
        }
        defer { close(file) }
        var end = Int(lseek(file, 0, SEEK_END))
        while end > 0 {
            let start = Self.startOfLine(endingAt: end, in: file)
            let line = Self.read(file, start, end - start)
            let json = try? JSONReader.read(line, maximumDepth: JSONReader.maximumRecordDepth)
            // Half a line, or a question without its answer.
            guard line.last != 0x0A || json?["role"]?.string == "user" else { return json?["mark"]?.string == mark }
            guard ftruncate(file, off_t(start)) == 0 else { throw SystemFault("cut", directory.path + "/" + name) }
            end = start
        }
        return false
    }

    private static func startOfLine(endingAt end: Int, in file: Int32) -> Int {
        var position = end - 1
        while position > 0 {
            let start = max(0, position - (64 << 10))
            if let index = read(file, start, position - start).lastIndex(of: 0x0A) { return start + index + 1 }
            position = start
        }
        return 0
    }

    private static func read(_ file: Int32, _ start: Int, _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, pread(file, buffer.baseAddress!, count, off_t(start)))
        }
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
        return String(decoding: Self.read(file, start, Int(end) - start), as: UTF8.self)
    }
}
