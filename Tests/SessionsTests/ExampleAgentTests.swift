import Glibc
import SpoolFormat
import TestSupport
import Testing

/// The agents of `examples/agents/`, as they stand there, and others that exist.
@Suite struct ExampleAgentTests {
    private static let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")

    /// An example, with a fake in the place of the program that it names.
    private static func example(_ name: String, as fake: String) throws -> String {
        let file = try #require(try Directory(repository + "/examples/agents").read(name + ".json"), "there is no examples/agents/\(name).json")
        var agent = try #require(try JSONReader.read(file.bytes).object)
        for field in ["command", "resume"] {
            guard let words = agent[field]?.array else { continue }
            agent[field] = .array(["$FIXTURES/\(fake).py".replacing("$FIXTURES", with: Lab.fixtures)].map(JSON.string) + words.dropFirst())
        }
        return JSONWriter.text(.object(agent))
    }

    @Test("The example for Claude Code: a conversation of two turns, a model's error, a lost conversation")
    func claude() throws {
        let lab = try Lab(Self.example("claude-code", as: "claude"))
        let first = try lab.run("say one", model: "sonnet")
        #expect(first.text == "one" && first.error == nil)
        #expect(first.usage == Usage(inputTokens: 10, outputTokens: 3, costUSD: 0.5, model: "sonnet") && first.isCostCumulative)
        #expect(try lab.run("recall", agentSession: first.agentSession, model: "sonnet").text == "say one")
        #expect(try lab.run("status 529", agentSession: first.agentSession, model: "sonnet").error?.code == "overloaded")
        #expect(try lab.run("limit", agentSession: first.agentSession, model: "sonnet").error?.message == "error_max_turns")
        #expect(try lab.run("say again", agentSession: "00000000-0000-4000-8000-000000000000", model: "sonnet").isAnew)
        #expect(lab.events("update").compactMap { $0["update"]?["type"]?.string }.prefix(3) == ["system", "assistant", "result"])
    }

    @Test("The example for Codex: a conversation of two turns, a failed turn, a lost conversation")
    func codex() throws {
        let lab = try Lab(Self.example("codex", as: "codex"))
        let first = try lab.run("say one")
        #expect(first.text == "one" && first.error == nil)
        let second = try lab.run("go", agentSession: first.agentSession)
        #expect(second.text == "turn 2" && second.usage?.inputTokens == 200 && second.isUsageCumulative)
        #expect(try lab.run("fail unexpected status 503 Service Unavailable", agentSession: first.agentSession).error?.code == "overloaded")
        #expect(try lab.run("go", agentSession: "unknown").isAnew)
    }

    @Test("The example for any agent of the protocol: reading is allowed, changing is asked")
    func acp() throws {
        let lab = try Lab(Self.example("acp", as: "acp"))
        try lab.keep()
        #expect(try lab.run("permission read").text == "chosen: 1")
        let turn = try lab.start("permission edit")
        #expect(lab.wait { lab.sessionFile("waiting.json") != nil })
        turn.answer("reject")
        #expect(turn.reply()?["text"]?.string == "chosen: no-thanks")
    }

    @Test("The example of a script")
    func script() throws {
        let file = try #require(try Directory(Self.repository + "/examples/agents").read("script.json"))
        #expect(try Lab(String(decoding: file.bytes, as: UTF8.self)).run("Say hello.").text == "You said: Say hello.")
    }

    // MARK: the Python package agent-client-protocol

    private static let package = repository + "/.build/python/acp"
    private static let hasPackage = access(package + "/examples/agent.py", R_OK) == 0
    private static let missing: Comment = "the Python package agent-client-protocol is not there; Tests/run.sh installs it"

    private static func package(_ example: String) throws -> Lab {
        try Lab(#"{"driver": "acp", "command": ["env", "PYTHONPATH=\#(package)", "python3", "\#(package)/examples/\#(example).py"], "ready": {"timeout": "2m"}}"#)
    }

    @Test("The example agent of the Python package answers every turn of a session", .enabled(if: hasPackage, missing))
    func exampleAgent() throws {
        let lab = try Self.package("agent")
        try lab.keep()
        let first = try lab.run("Hello")
        #expect(first.text == "Client sent:Hello" && first.stopReason == "end_turn" && first.agentSession == "0" && first.error == nil)
        let content: [ContentBlock] = [.text("a"), .resourceLink(uri: "file:///x", name: "x")]
        #expect(try lab.run("", agentSession: "0", content: content).text == "Client sent:a[x](file:///x)")
        #expect(lab.stopKeeper() == 0)
    }

    @Test("The echo agent of the Python package, in a new process: it takes up nothing, so the conversation begins anew", .enabled(if: hasPackage, missing))
    func echoAgent() throws {
        let lab = try Self.package("echo_agent")
        try lab.keep()
        let first = try lab.run("Hello")
        #expect(first.text == "Hello" && first.error == nil)
        lab.stopKeeper()
        try lab.keep()
        let second = try lab.run("again", agentSession: first.agentSession)
        #expect(second.isAnew && second.text == "again" && second.agentSession != first.agentSession)
    }
}
