import CLinux
import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Sessions whose agent stays between turns.
@Suite struct KeptSessionTests {
    private static let program = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/") + "/Fixtures/agents/acp.py"

    /// An agent that speaks the Agent Client Protocol, and does what the lines of a prompt say.
    private static func configure(_ spool: TestSpool, _ name: String = "acp", _ arguments: String = "", program: String = program) {
        mkdir(spool.path(".home"), 0o700)
        spool.configure("agents/\(name)", #"""
            {"driver": "acp", "command": ["python3", "\#(program)"\#(arguments)], "env": {"FAKE_HOME": "\#(spool.path(".home"))"}, "cancel_timeout": "1h"}
            """#)
    }

    private func pipe(_ spool: TestSpool) -> String {
        let path = spool.path(".pipe")
        precondition(mkfifo(path, 0o600) == 0)
        return path
    }

    /// Lets whoever reads the pipe come to its end.
    private func release(_ path: String) { close(rouse_open(path, O_WRONLY | O_CLOEXEC, 0)) }

    private func processes(_ spool: TestSpool, of session: String) -> [String] {
        JobState.allCases.flatMap { spool.list($0.rawValue) }.filter { $0.hasPrefix("\(session).agent") }
    }

    @Test func theAgentStaysBetweenTurnsAndEndsWhenItsSessionIsStopped() throws {
        let spool = TestSpool()
        Self.configure(spool)
        spool.defineSession("talk", agent: "acp")
        let daemon = TestDaemon(spool)
        spool.drop("one", #"{"session": "talk", "prompt": "say hello"}"#)
        #expect(spool.outcome("one") == "succeeded")
        #expect(spool.result(of: "one")?["output"]?["text"]?.string == "hello")
        #expect(spool.session("talk", reaches: "idle"))
        let process = try #require(spool.session("talk")?["process"]?.string)
        #expect(spool.state(of: process) == "running")
        spool.drop("two", #"{"session": "talk", "prompt": "recall"}"#)
        #expect(spool.outcome("two") == "succeeded")
        #expect(spool.result(of: "two")?["output"]?["text"]?.string == "say hello")
        spool.drop("stop", #"{"stop": "talk"}"#)
        #expect(spool.outcome("stop") == "succeeded")
        #expect(spool.result(of: "stop")?["output"]?["was"]?.string == "idle")
        #expect(spool.result(of: "stop")?["output"]?["now"]?.string == "stopping")
        #expect(spool.session("talk", reaches: "cold"))
        #expect(spool.outcome(process) == "cancelled")
        #expect(processes(spool, of: "talk") == [process])
        #expect(daemon.stop() == 0)
    }

    @Test func manyReasonsAtOnceStartOneProcess() throws {
        let spool = TestSpool()
        Self.configure(spool)
        for number in 0..<20 { spool.drop("w\(number)", #"{"wake": "talk", "reason": "number \#(number)"}"#) }
        spool.defineSession("talk", agent: "acp")
        let daemon = TestDaemon(spool, environment: ["ROUSE_TEST_WAKE_QUIET": "2s"])
        #expect(spool.wait { (0..<20).allSatisfy { spool.result(of: "w\($0)") != nil } })
        #expect(processes(spool, of: "talk").count == 1)
        #expect(spool.lines("sessions/talk/events.jsonl").filter { $0["event"]?.string == "prompt" }.count == 1)
        let sent = try #require((0..<20).map { "w\($0)" }.first { spool.wake($0)?["outcome"]?.string == "sent" })
        #expect(spool.wake(sent)?["reasons"]?.array?.count == 20)
        #expect(daemon.stop() == 0)
    }

    @Test func aRequestForPermissionIsInterruptedByAWakeAndTheAgentStays() throws {
        let spool = TestSpool()
        Self.configure(spool)
        spool.defineSession("talk", #", "mode": "interrupt_if_waiting""#, agent: "acp")
        let daemon = TestDaemon(spool)
        spool.drop("asks", #"{"session": "talk", "prompt": "permission execute"}"#)
        #expect(spool.session("talk", reaches: "waiting"))
        #expect(spool.json("sessions/talk/waiting.json")?["kind"]?.string == "permission")
        spool.drop("wake", #"{"wake": "talk", "reason": "a line for the agent\nsay woken"}"#)
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.outcome("asks") == "cancelled")
        #expect(spool.tries("wake") == ["heartbeat skipped prompt_active", "interrupt requested", "interrupt sent"])
        #expect(!spool.exists("sessions/talk/waiting.json"))
        #expect(processes(spool, of: "talk").count == 1)
        #expect(daemon.stop() == 0)
    }

    @Test func anAnswerReachesTheAgentThatWaitsForIt() throws {
        let spool = TestSpool()
        Self.configure(spool)
        spool.defineSession("talk", agent: "acp")
        let daemon = TestDaemon(spool)
        spool.drop("early", #"{"answer": "yes", "session": "talk"}"#)
        #expect(spool.outcome("early") == "failed")
        #expect(spool.result(of: "early")?["error"]?["code"]?.string == "not_waiting")
        spool.drop("asks", #"{"session": "talk", "prompt": "permission execute"}"#)
        #expect(spool.session("talk", reaches: "waiting"))
        spool.drop("wrong", #"{"answer": "perhaps", "session": "talk"}"#)
        #expect(spool.outcome("wrong") == "failed")
        #expect(spool.result(of: "wrong")?["error"]?["code"]?.string == "no_such_option")
        spool.drop("right", #"{"answer": "yes", "session": "talk"}"#)
        #expect(spool.outcome("right") == "succeeded")
        #expect(spool.result(of: "right")?["output"]?["delivered"]?.bool == true)
        #expect(spool.outcome("asks") == "succeeded")
        #expect(spool.result(of: "asks")?["output"]?["text"]?.string == "chosen: 1")
        // Moved back into the inbox, it is the answer to another question.
        spool.drop("asks-again", #"{"session": "talk", "prompt": "permission execute"}"#)
        #expect(spool.session("talk", reaches: "waiting"))
        #expect(spool.move("done/right", to: "inbox/right"))
        #expect(spool.outcome("asks-again") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aTurnAndItsAgentOutliveTheDaemon() throws {
        let spool = TestSpool()
        Self.configure(spool)
        spool.defineSession("talk", agent: "acp")
        let first = TestDaemon(spool)
        let path = pipe(spool)
        spool.drop("one", #"{"session": "talk", "prompt": "say before\nwait \#(path)\nsay , after"}"#)
        #expect(spool.wait { spool.lines("sessions/talk/events.jsonl").contains { $0["event"]?.string == "update" } })
        first.kill9()
        let second = TestDaemon(spool)
        #expect(spool.session("talk", reaches: "working"))
        release(path)
        #expect(spool.outcome("one") == "succeeded")
        #expect(spool.result(of: "one")?["output"]?["text"]?.string == "before, after")
        #expect(spool.result(of: "one")?["attempts"]?.int == 1)
        spool.drop("two", #"{"session": "talk", "prompt": "recall"}"#)
        #expect(spool.outcome("two") == "succeeded")
        #expect(processes(spool, of: "talk").count == 1)
        #expect(spool.lines("sessions/talk/transcript.jsonl").map { $0["turn"]?.string } == ["one", "one", "two", "two"])
        #expect(second.stop() == 0)
    }

    @Test func anAgentThatHangsAtItsStartDelaysNoOther() {
        let spool = TestSpool()
        Self.configure(spool)
        Self.configure(spool, "mute", #", "--mute", "initialize", "--deaf""#)
        spool.defineSession("hangs", agent: "mute")
        spool.defineSession("talk", agent: "acp")
        let daemon = TestDaemon(spool)
        spool.drop("lost", #"{"wake": "hangs"}"#)
        #expect(spool.wait { !processes(spool, of: "hangs").isEmpty })
        for number in 1...3 {
            spool.drop("w\(number)", #"{"wake": "talk", "reason": "a line for the agent\nsay woken"}"#)
            #expect(spool.outcome("w\(number)") == "succeeded")
        }
        #expect(spool.result(of: "lost") == nil)
        #expect(daemon.stop() == 0)
    }

    @Test func anAgentThatCannotBeStartedFailsItsTurnAndSaysWhy() throws {
        let spool = TestSpool()
        spool.configure("agents/absent", #"{"driver": "acp", "command": ["/nowhere/agent"], "ready": {"timeout": "1d"}}"#)
        spool.defineSession("talk", agent: "absent")
        let daemon = TestDaemon(spool)
        spool.drop("one", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("one") == "failed")
        #expect(spool.result(of: "one")?["error"]?["code"]?.string == "unstartable")
        #expect(spool.result(of: "one")?["error"]?["message"]?.string?.hasPrefix("cannot start /nowhere/agent: ") == true)
        #expect(spool.result(of: "one")?["attempts"]?.int == 1)
        let process = try #require(processes(spool, of: "talk").first)
        #expect(spool.outcome(process) == "failed")
        #expect(spool.result(of: process)?["error"] == spool.result(of: "one")?["error"])
        #expect(daemon.stop() == 0)
    }

    /// After each death the next process waits twice as long as before: at least.
    private func checkPauses(_ spool: TestSpool) {
        func times(_ events: [JSON]) -> [Int64] { events.compactMap { $0["at"]?.string.flatMap { Timestamp($0)?.milliseconds } } }
        let deaths = times(spool.events().filter { $0["event"]?.string == "session_died" })
        let starts = times(spool.events().filter { $0["event"]?.string == "accepted" && $0["queue"]?.string == "process:talk" })
        #expect(deaths.count == 5 && starts.count == 5)
        // What is written down in the same instant may be a little apart.
        for (number, (death, start)) in zip(deaths, starts.dropFirst()).enumerated() { #expect(start - death >= 240 << Int64(number), "\(number)") }
    }

    @Test func aSessionWhoseProcessDiesAgainAndAgainIsBrokenAndKeepsItsPrompts() throws {
        let spool = TestSpool()
        _ = ScriptAgent(spool)
        Self.configure(spool, program: "/nowhere/agent.py")
        spool.defineSession("talk", agent: "acp")
        let daemon = TestDaemon(spool)
        spool.drop("kept", #"{"session": "talk", "prompt": "say at last", "backoff": {"base": "10ms", "max": "10ms"}}"#)
        #expect(spool.session("talk", reaches: "broken"))
        #expect(spool.events().filter { $0["event"]?.string == "session_died" }.count == 5)
        #expect(spool.session("talk")?["deaths"]?.array?.count == 5)
        #expect(spool.state(of: "kept").map { ["queued", "waiting"].contains($0) } == true)
        for process in processes(spool, of: "talk") {
            #expect(spool.state(of: process) == "failed" && spool.result(of: process)?["exit_code"]?.int == 2)
            // Why, in the agent's own words.
            #expect(spool.result(of: process)?["error"]?["code"]?.string == "agent_died")
            #expect(spool.result(of: process)?["error"]?["message"]?.string?.contains("can't open file '/nowhere/agent.py'") == true)
        }
        checkPauses(spool)
        let shown = Programs.rouse(["session", "show", "talk"], on: spool).output
        for words in ["died 5 times in 15 minutes", "since ", "/nowhere/agent.py", "rouse session reset talk"] { #expect(shown.contains(words), "\(shown)") }
        let prompted = Programs.rouse(["prompt", "talk", "say too"], on: spool, environment: ["ROUSE_PATIENCE": "120s"])
        #expect(prompted.code == 0 && prompted.output.contains("the prompt waits until: rouse session reset talk"), "\(prompted.output)")
        // A person has mended it.
        Self.configure(spool)
        #expect(spool.tells("config_applied", times: 4))
        spool.drop("again", #"{"restart": "talk"}"#)
        #expect(spool.outcome("again") == "succeeded")
        #expect(spool.outcome("kept") == "succeeded")
        #expect(spool.result(of: "kept")?["output"]?["text"]?.string == "at last")
        #expect(spool.session("talk", reaches: "idle"))
        #expect(daemon.stop() == 0)
    }
}
