import Testing

@testable import SpoolFormat

@Suite struct JSONReaderTests {
    @Test(arguments: [
        ("0", JSON.int(0)), ("-0", .int(0)), ("1E+2", .double(100)), ("1e-2", .double(0.01)), ("-1.5", .double(-1.5)),
        ("0.10", .double(0.1)), ("0e0", .double(0)), ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
        ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("1e308", .double(1e308)), ("1e-400", .double(0)),
        ("5e-324", .double(.leastNonzeroMagnitude)), (" \t\r\n null \n", .null), ("true", true), ("false", false), ("\"\"", ""),
        (#""\u0000\u001f\/\b\f\n\r\t\"\\""#, "\u{0}\u{1F}/\u{8}\u{C}\n\r\t\"\\"), (#""\uD83D\ude00""#, "😀"),
        (#""\uFFFF\uFFFE\ufeff""#, "\u{FFFF}\u{FFFE}\u{FEFF}"), ("\"\u{7F}\u{80}\u{10FFFF}\"", "\u{7F}\u{80}\u{10FFFF}"),
        ("[]", []), ("[ ]", []), ("{}", [:]), ("{ }", [:]), ("[[],{}]", [[], [:]]), (#"{"":{"a":[1 , 2]}}"#, ["": ["a": [1, 2]]]),
    ] as [(String, JSON)])
    func reads(_ text: String, _ value: JSON) throws { #expect(try JSONReader.read(text) == value) }

    @Test func keepsTheSignOfZero() throws {
        #expect(try JSONReader.read("-0.0").double?.sign == .minus)
        #expect(JSONWriter.text(try JSONReader.read("-0.0")) == "-0.0")
    }

    @Test func takesTwoSpellingsOfOneCharacterForTwoNames() throws {
        let value = try JSONReader.read("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value.object?.count == 2)
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(JSONReader.locate(JSONPath([.name("e\u{301}")]), in: Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8))?.value == 14)
    }

    @Test func reads64LevelsAndNotOneMore() throws {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ depth: Int) -> String {
                let inner = open == "[" ? "" : "1"
                return String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
            }
            #expect(throws: Never.self) { try JSONReader.read(nested(64)) }
            #expect(throws: JSONFault.self) { try JSONReader.read(nested(65)) }
        }
        #expect(throws: Never.self) { try JSONReader.read("[" + String(repeating: "[],", count: 5000) + "[]]") }
    }

    /// A file that is still being written is never taken for a whole one, and is known to be unfinished.
    @Test func takesNoPrefixForTheWhole() throws {
        for file in try Fixtures.files("good") where file.bytes.count < 5000 {
            let end = try #require(file.bytes.lastIndex(of: UInt8(ascii: "}")))
            for length in 0..<end {
                do throws(JSONFault) {
                    _ = try JSONReader.read(Array(file.bytes[..<length]))
                    Issue.record("\(file.name) reads when cut to \(length) bytes")
                } catch {
                    #expect(error.mayBeUnfinished, "\(file.name) cut to \(length): \(error)")
                }
            }
        }
    }

    @Test func countsLinesAndCharacters() throws {
        let text = Array("{\n  \"ü😀\": [1,\r\n\t\"é\", 2]}".utf8)
        let places = try #require(JSONReader.locate(JSONPath([.name("ü😀"), .index(2)]), in: text))
        #expect(TextPosition(byte: places.value, of: text) == TextPosition(byte: text.count - 3, of: text))
        #expect(TextPosition(byte: places.value, of: text).line == 3)
        #expect(TextPosition(byte: places.value, of: text).column == 7)
        let member = try #require(JSONReader.locate(JSONPath([.name("ü😀")]), in: text))
        #expect(TextPosition(byte: member.name!, of: text).column == 3)
        #expect(TextPosition(byte: member.value, of: text).column == 9)
        #expect(JSONReader.locate(JSONPath([.name("x")]), in: text) == nil)
        #expect(JSONReader.locate(JSONPath([.name("ü😀"), .index(3)]), in: text) == nil)
    }

    @Test(arguments: [
        ("a", "env.a"), ("a b", #"env["a b"]"#), ("", #"env[""]"#), ("a.b", #"env["a.b"]"#), ("x\n", #"env["x\n"]"#),
    ])
    func writesPathsThatCanBeTold(_ name: String, _ text: String) {
        #expect(JSONPath([.name("env"), .name(name)]).description == text)
    }

    @Test func readsLargeInputsInTimeThatGrowsWithTheirLength() throws {
        let makers: [(String, (Int) -> String)] = [
            ("arrays", { "[" + String(repeating: "[[[]]],", count: $0 / 7) + "[]]" }),
            ("members", { "{" + (0..<$0 / 12).map { "\"n\($0)\":1" }.joined(separator: ",") + "}" }),
            ("escapes", { "\"" + String(repeating: #"\u00e9\n\ud83d\ude00"#, count: $0 / 20) + "\"" }),
            ("text", { "\"" + String(repeating: "é", count: $0 / 2) + "\"" }),
            ("numbers", { "[" + String(repeating: "1.5e3,", count: $0 / 6) + "1]" }),
            ("unclosed", { String(repeating: "[", count: $0) }),
            ("digits", { String(repeating: "1", count: $0) }),
        ]
        for (name, make) in makers {
            let small = Array(make(1 << 18).utf8)
            let large = Array(make(1 << 20).utf8)
            func time(_ bytes: [UInt8]) -> Duration {
                (0..<3).map { _ in threadTime { _ = try? JSONReader.read(bytes) } }.min()!
            }
            let (short, long) = (time(small), time(large))
            // Four times the length, and twice that for caches.
            #expect(long < short * 8 + .milliseconds(20), "\(name): \(short) and \(long)")
            #expect(long < .seconds(2), "\(name): \(long)")
        }
    }

    @Test func locatesInLargeInputsWithoutDelay() throws {
        let text = Array(("{" + (0..<80_000).map { "\"n\($0)\":1" }.joined(separator: ",") + "}").utf8)
        let elapsed = threadTime { #expect(JSONReader.locate(JSONPath([.name("n79999")]), in: text) != nil) }
        #expect(elapsed < .seconds(2))
        let rejected = threadTime { #expect(rejection(of: text)?.code == "no_verb") }
        #expect(rejected < .seconds(5))
    }
}
