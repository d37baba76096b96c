import Testing

@testable import Sessions

@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("a\u{1B}[31mred\u{1B}[0m\r\nb", "ared\nb"), ("\u{1B}]0;title\u{7}x", "x"), ("\u{1B}]8;;u\u{1B}\\link", "link"), ("a  \n\n \n", "a"),
        ("\u{1B}(Bz\u{1B}=y\u{8}", "zy"), ("é\u{1B}[?2004hß", "éß"), ("\u{1B}[", ""), ("\u{1B}", ""), ("a\0b\u{7F}", "ab"),
    ])
    func outputIsMadePlain(_ raw: String, _ plain: String) { #expect(TerminalText.plain(Array(raw.utf8)) == plain) }

    @Test(arguments: [
        ("a\u{1B}[201~b", "a[201~b"), ("a\r\nb\rc\n\n", "a\nb\nc"), ("a\tb", "a\tb"), ("\u{3}\u{4}\u{1A}x\u{7F}\u{9B}y", "xy"), ("ünï😀", "ünï😀"),
    ])
    func whatIsTypedSteersNothing(_ text: String, _ typed: String) { #expect(TerminalText.typed(text) == typed) }

    @Test(arguments: [
        ("> hello\nhi", "hello", "hi"), ("> a\n... b\nhi", "a\nb", "hi"), ("other\nhi", "hello", "other\nhi"), ("> hello", "hello", ""), ("", "x", ""),
    ])
    func aPromptIsNotTheAnswer(_ text: String, _ prompt: String, _ rest: String) { #expect(TerminalText.withoutEcho(text, of: prompt) == rest) }

    private static let rows = (0..<1000).map { "row number \($0)" }
    private static let long = rows.joined(separator: "\n")
    private static let begin = rows[..<48].joined(separator: "\n")
    private static let end = rows[960...].joined(separator: "\n")
    private static let twice = rows[..<500].joined(separator: " ") + rows[490...].joined(separator: " ") + rows[985...].joined()
    private static func same(_ count: Int) -> String { Array(repeating: "a line", count: count).joined(separator: "\n") }
    private static let thoughts = String(repeating: "thoughts\n", count: 100)
    private static let remains: [(String, String, String)] = [
        ("> \(begin)\nhi", long, "hi"), ("> \(end)\nhi", long, "hi"), ("\(end)\n\nhi\nrow number 99", long, "\nhi\nrow number 99"),
        ("> \(begin)\nrow number 999\nhi", long, "hi"), ("> \(twice)\nhi", long, "hi"), ("> \(same(48))\nhi", same(1000), "hi"),
        // A line of the prompt that does not go on where the echo ended is the answer's.
        ("> \(begin)\nrow number 7", long, "row number 7"), ("> \(twice)\n\(long)", long, long),
        // What does not begin with the prompt is an answer that quotes it.
        ("\(thoughts)\(long)\nhi", long, "\(thoughts)\(long)\nhi"), ("hi", long, "hi"), ("", long, ""),
    ]
    @Test(arguments: remains)
    func whatIsLeftOfALongPromptIsNotTheAnswer(_ text: String, _ prompt: String, _ rest: String) {
        #expect(TerminalText.withoutEcho(text, of: prompt) == rest)
    }

    @Test(arguments: [
        ("hi\nyou>", "hi"), ("you>", ""), ("hi", "hi"), ("hi\n\n╭──╮\nyou>\n╰──╯\n  ? for help", "hi"),
        ("you>\n1\n2\n3\n4\n5\n6\n7", "you>\n1\n2\n3\n4\n5\n6\n7"), ("", ""),
    ])
    func anInputLineIsNotTheAnswer(_ text: String, _ rest: String) { #expect(TerminalText.withoutReadiness(text) { $0 == "you>" } == rest) }

    @Test func aMarkReadsBack() throws {
        let mark = TurnMark(turn: "p-1", isSent: true, line: 12, offset: 3456)
        let read = try #require(TurnMark(mark.text))
        #expect(read.turn == "p-1" && read.isSent && read.line == 12 && read.offset == 3456 && read.at == mark.at)
        #expect(TurnMark("") == nil && TurnMark("p-1 sent") == nil)
    }
}
