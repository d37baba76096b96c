import SpoolFormat

/// Lines that a `command` agent writes for people, on stderr or among its output. The last of them are the message of a
/// failure; a session's id, or that it is lost, may stand in any that is no part of the answer.
struct LastWords {
    private var lines = LineSplitter()
    private var last: [String] = []
    private let sessionPattern: LinePattern
    private let lostPattern: LinePattern

    private(set) var session: String?
    private(set) var hasLostSession = false

    init(_ rules: OutputRules) {
        sessionPattern = LinePattern(rules.sessionPattern)
        lostPattern = LinePattern(rules.lostSessionPattern)
    }

    var tail: String { last.joined(separator: "\n") }

    mutating func take(_ bytes: [UInt8]) { for line in lines.take(bytes) { take(line: line) } }

    mutating func finish() { if let line = lines.finish() { take(line: line) } }

    /// - Parameter isAnswer: then it says what the agent likes, and is not searched.
    mutating func take(line: [UInt8], isAnswer: Bool = false) {
        if !isAnswer {
            if let found = sessionPattern.find(in: line) { session = found }
            if lostPattern.find(in: line) != nil { hasLostSession = true }
        }
        let text = String(decoding: line.prefix(1000), as: UTF8.self)
        guard text.contains(where: { !$0.isWhitespace }) else { return }
        last.append(text)
        if last.count > 5 { last.removeFirst() }
    }
}

/// A regular expression that is looked for line by line.
struct LinePattern {
    private let pattern: Regex<AnyRegexOutput>?

    /// What a person would still read of a line; a pattern's time grows with the length, some patterns' beyond measure.
    private static let longest = 4096

    init(_ text: String?) { pattern = text.flatMap { try? Regex($0) } }

    /// What it matches in the line: its first group, where it has one.
    func find(in line: [UInt8]) -> String? {
        guard let pattern else { return nil }
        let text = String(decoding: line.prefix(Self.longest), as: UTF8.self)
        guard let match = text.firstMatch(of: pattern) else { return nil }
        let group = match.output.count > 1 ? match.output[1].substring : nil
        return String(group ?? text[match.range])
    }
}
