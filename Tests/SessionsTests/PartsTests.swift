import SpoolFormat
import TestSupport
import Testing

@testable import Sessions

/// The parts of drivers that read what agents write.
@Suite struct PartsTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("Lines come whole, in whatever pieces they arrive", arguments: 1...7)
    func pieces(length: Int) {
        var splitter = LineSplitter()
        var lines: [String] = []
        let text = Self.bytes("one\n\ntwo ünï\nlast")
        for start in stride(from: 0, to: text.count, by: length) {
            lines += splitter.take(Array(text[start..<min(start + length, text.count)])).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(lines == ["one", "", "two ünï"] && splitter.isInLine)
        #expect(splitter.finish() == Self.bytes("last") && splitter.finish() == nil)
    }

    @Test("A line without end is dropped, and the next one is read")
    func endlessLine() {
        var splitter = LineSplitter()
        let piece = [UInt8](repeating: 0x78, count: LineSplitter.longest / 2)
        for _ in 0..<3 { #expect(splitter.take(piece).isEmpty) }
        #expect(splitter.take(Self.bytes("x\nnext\n")) == [Self.bytes("next")] && splitter.dropped == 1)
    }

    @Test("Text that was cut in the middle of a character does not make a message unreadable")
    func halfCharacters() {
        #expect(AgentJSON.object(onLine: Self.bytes(#"{"a": "x\ud83d", "b": "\ud83d\ude00 \udE00y", "c": "\\ud83d"}"#)) == ["a": "x\u{FFFD}", "b": "😀 \u{FFFD}y", "c": "\\ud83d"])
        #expect(AgentJSON.object(onLine: Self.bytes(#"{"a": ""#) + [0xC3] + Self.bytes(#""}"#)) == ["a": "\u{FFFD}"])
        for noise in ["", "42", "[1]", "{", "[INFO] {}", #"{"a": 1, "a": 2}"#] { #expect(AgentJSON.object(onLine: Self.bytes(noise)) == nil, "\(noise)") }
    }

    @Test("One JSON value is found among noise before and after it", arguments: [
        #"{"a": 1}"#, "Loading…\n[INFO] ready\n{\"a\": 1}\n", "{\n  \"a\":\n  1\n}", "{\"a\": 1}\nBye.", "[warn] {\n{\"a\": 1}\nupdate available: {2}\n",
    ])
    func document(text: String) {
        var document = JSONDocument()
        for byte in text.utf8 { document.append([byte]) }
        #expect(document.value == ["a": 1])
    }

    @Test("Output that holds no JSON value has none")
    func noDocument() {
        var document = JSONDocument()
        #expect(document.isEmpty && document.value == nil)
        document.append(Self.bytes("[INFO] nothing\n{ to see\n"))
        #expect(!document.isEmpty && document.value == nil)
    }

    @Test("Of an answer that is too long the end is kept, from a whole character on")
    func boundedText() {
        var text = BoundedText()
        for _ in 0..<1000 { text.append(String(repeating: "ä", count: 2000)) }
        text.append(" end ")
        #expect(text.wasCut && text.text.utf8.count <= BoundedText.longest && text.text.hasPrefix("ä") && text.text.hasSuffix("ä end"))
        #expect(BoundedText("\n a \n").text == "a")
    }

    private static func output(_ rules: String, _ text: String) throws -> AgentOutput {
        let agent = try AgentConfiguration.read(JSONReader.read(#"{"driver": "command", "command": ["x"], "output": \#(rules)}"#))
        let spool = TestSpool()
        var output = AgentOutput(agent.output, events: SessionEvents(in: try Directory(spool.path), turn: JobID("x")!))
        output.take(bytes(text))
        output.finish()
        return output
    }

    @Test("Rules find what they name in an array of messages, as Vibe writes it")
    func array() throws {
        let rules = #"{"format": "json", "text": {"where": {"role": "assistant"}, "take": "content"}}"#
        let output = try Self.output(rules, #"[{"role": "system", "content": "s"}, {"role": "assistant", "content": "first"}, {"role": "assistant", "content": "last"}]"#)
        #expect(output.answer.text == "last")
    }

    @Test("Null and false say that there is no error")
    func noError() throws {
        let rules = #"{"format": "json_lines", "text": "text", "error": "error", "end": "done"}"#
        let output = try Self.output(rules, #"{"text": "a", "error": null, "done": false}"# + "\n" + #"{"error": false}"#)
        #expect(output.error == nil && !output.isOver && output.answer.text == "a")
        #expect(try Self.output(rules, #"{"error": {"why": 1}, "done": true}"#).error == #"{"why":1}"#)
    }

    @Test("What an agent's error says is sorted", arguments: [
        ("429 Too Many Requests", "rate_limited", true), ("You've hit your usage limit", "rate_limited", true), ("Overloaded", "overloaded", true),
        ("connect ECONNREFUSED 127.0.0.1:443", "network", true), ("Internal server error", "model_failed", true),
        ("429 {}", "rate_limited", true), ("Error code: 529 - {}", "overloaded", true), ("API Error: 401", "authentication_required", false), ("see line 500", "agent_failed", false),
        ("Invalid API key · Please run /login", "authentication_required", false), ("the tests do not pass", "agent_failed", false),
    ])
    func classes(message: String, code: String, isRetryable: Bool) {
        #expect(Failure.classify(status: nil, message: message) == ErrorRecord(code, message, retryable: isRetryable))
    }

    @Test("The end of a terminal's output is kept, from a whole character on")
    func outputBuffer() {
        var buffer = OutputBuffer(limit: 4)
        buffer.append(Self.bytes("aäöü"))
        #expect(buffer.text == "öü" && buffer.isTruncated)
        var nothing = OutputBuffer(limit: 0)
        nothing.append(Self.bytes("x"))
        #expect(nothing.text == "" && nothing.isTruncated)
        for _ in 0..<50_000 { buffer.append(Self.bytes("0123456789")) }
        #expect(buffer.text == "6789")
    }

    @Test("Ids are per direction, and an answer's may come back as text")
    func messages() throws {
        func read(_ text: String) throws -> RPCMessage? { RPCMessage(try JSONReader.read(text)) }
        guard case .request(0, "m", _)? = try read(#"{"id": 0, "method": "m"}"#) else { return #expect(Bool(false), "no request") }
        guard case .notification("m", _)? = try read(#"{"method": "m", "id": null}"#) else { return #expect(Bool(false), "no notification") }
        guard case .response(3, .success(.null))? = try read(#"{"id": "3", "result": null}"#) else { return #expect(Bool(false), "no response") }
        guard case .response(3, .failure(let error))? = try read(#"{"id": 3, "error": {"code": 1, "message": "a", "data": {"details": "b"}}}"#) else {
            return #expect(Bool(false), "no error")
        }
        #expect(error.words == "a: b")
        #expect(try read("{}") == nil && read(#"{"id": 3}"#) == nil)
    }
}
