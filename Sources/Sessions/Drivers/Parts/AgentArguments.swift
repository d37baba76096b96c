import Glibc
import SpoolFormat

/// The argument vector of an agent: the configured one, with what stands for the words in braces. No shell sees it.
struct AgentArguments {
    /// What an argument can be at most (`MAX_ARG_STRLEN`), with its NUL.
    private static let longest = 128 << 10

    private var values: [String: String] = [:]

    init(name: String?, model: String?, cwd: String) {
        values["name"] = name
        values["model"] = model
        values["cwd"] = cwd
    }

    subscript(word: String) -> String? {
        get { values[word] }
        set { values[word] = newValue }
    }

    /// - Throws: where a word has nothing to stand for it, or what stands for it is too long for an argument.
    func fill(_ arguments: [String]) throws(TurnFault) -> [String] {
        var missing: String?
        let filled = arguments.map { argument in
            AgentConfiguration.replace(in: argument) { word in
                if values[word] == nil { missing = word }
                return values[word] ?? ""
            }
        }
        if let missing {
            throw TurnFault(
                "bad_agent", "the agent's command says {\(missing)}, and there is none",
                hint: missing == "model" ? "give the agent or the session a \"model\"" : nil)
        }
        if let long = filled.first(where: { $0.utf8.count >= Self.longest }) {
            throw TurnFault(
                "prompt_too_long", "an argument would have \(long.utf8.count) bytes, and the system takes less than \(Self.longest)",
                hint: "have the agent take its prompt by \"stdin\" or \"file\"")
        }
        if let bad = filled.first(where: { $0.utf8.contains(0) }) {
            throw TurnFault("bad_agent", "an argument contains a NUL: \(bad.prefix(100))")
        }
        return filled
    }

    /// A new random UUID, for an agent that takes its session's id from us.
    static func uuid() -> String {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }
}
