import CLinux
import Glibc

/// An agent that says when a prompt came: by the Agent Client Protocol, as little of it as a session needs. It knows who
/// speaks to it, so it need not read JSON: an id is the number behind `"id":`.
enum AgentStamp {
    /// Writes the time of the nth prompt to `<directory>/w<n>`.
    static func serve(_ directory: String) {
        var prompts = 0
        while let line = readLine() {
            guard let id = number(behind: "\"id\":", in: line) else { continue }
            if line.contains("\"method\":\"session/prompt\"") {
                stamp(directory + "/w\(prompts)")
                prompts += 1
                answer(id, "{\"stopReason\":\"end_turn\"}", first: "{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{\"sessionId\":\"s\",\"update\":{\"sessionUpdate\":\"agent_message_chunk\",\"content\":{\"type\":\"text\",\"text\":\"ok\"}}}}\n")
            } else if line.contains("\"method\":\"initialize\"") {
                answer(id, "{\"protocolVersion\":1,\"agentCapabilities\":{}}")
            } else if line.contains("\"method\":\"session/new\"") {
                answer(id, "{\"sessionId\":\"s\"}")
            }
        }
    }

    private static func number(behind name: String, in line: String) -> Int? {
        let bytes = Array(line.utf8)
        let pattern = Array(name.utf8)
        for start in bytes.indices.dropLast(pattern.count) where bytes[start..<(start + pattern.count)].elementsEqual(pattern) {
            let digits = bytes[(start + pattern.count)...].drop { $0 == 0x20 }.prefix { (0x30...0x39).contains($0) }
            if let number = Int(String(decoding: digits, as: UTF8.self)) { return number }
        }
        return nil
    }

    private static func answer(_ id: Int, _ result: String, first: String = "") {
        let text = Array((first + "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"result\":\(result)}\n").utf8)
        _ = write(1, text, text.count)
    }
}

/// Writes CLOCK_MONOTONIC, in nanoseconds, to a new file.
@discardableResult
func stamp(_ path: String) -> Int32 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let file = rouse_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { return 73 }
    defer { close(file) }
    let text = Array("\(now.tv_sec * 1_000_000_000 + now.tv_nsec)\n".utf8)
    return write(file, text, text.count) == text.count ? 0 : 74
}
