import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Turns outlive the daemon, and what they say is heard by the next one.
@Suite struct RestartTests {
    private func turns(_ spool: TestSpool) -> [String] {
        spool.lines("sessions/talk/transcript.jsonl").map { "\($0["role"]?.string ?? "") \($0["turn"]?.string ?? "")" }
    }

    @Test(arguments: [false, true]) func aTurnGoesOnWhileTheDaemonIsGoneAndItsResultIsTheTrueOne(endsMeanwhile: Bool) {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let first = TestDaemon(spool)
        spool.drop("one", #"{"session": "talk", "prompt": "hello"}"#)
        #expect(spool.outcome("one") == "succeeded")
        spool.drop("two", #"{"session": "talk", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin two"))
        spool.drop("wake", #"{"wake": "talk"}"#)
        #expect(spool.tells("accepted", of: "wake"))
        first.kill9()
        if endsMeanwhile {
            gate.open()
            #expect(spool.wait { spool.exists("running/two/exit.json") })
        }
        let second = TestDaemon(spool)
        if !endsMeanwhile { gate.open() }
        #expect(spool.outcome("two") == "succeeded")
        #expect(spool.result(of: "two")?["output"]?["text"]?.string == "answer to two")
        #expect(spool.result(of: "two")?["attempts"]?.int == 1)
        #expect(spool.outcome("wake") == "succeeded")
        spool.drop("three", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("three") == "succeeded")
        #expect(turns(spool) == ["one", "two", "wake", "three"].flatMap { ["user \($0)", "agent \($0)"] })
        #expect(agent.prompts.map(\.name) == ["one.1", "three.1", "two.1", "wake.1"])
        #expect(agent.story.last { $0.hasPrefix("begin") } == "begin three conversation-of-one")
        #expect(spool.session("talk")?["turns"]?.int == 4)
        #expect(second.stop() == 0)
    }

    /// Puts things back as they were when a daemon died just before the turn's last rename.
    @Test(arguments: [0, 10, 200_000]) func aTurnIsInTheTranscriptOnceHoweverFarItsWritingHadCome(missing: Int) throws {
        let spool = TestSpool()
        _ = ScriptAgent(
            spool, script: #"printf '{"session": "s", "text": "%0100000d"}\n' 7; exit"#)
        spool.defineSession("talk")
        let first = TestDaemon(spool)
        for id in ["one", "two"] {
            spool.drop(id, #"{"session": "talk", "prompt": "x"}"#)
            #expect(spool.outcome(id) == "succeeded")
        }
        let whole = try #require(spool.text("sessions/talk/transcript.jsonl"))
        #expect(whole.utf8.count > 200_000)
        #expect(first.stop() == 0)
        #expect(spool.move("done/two", to: "running/two"))
        truncate(spool.path("sessions/talk/transcript.jsonl"), missing < 200_000 ? whole.utf8.count - missing : whole.utf8.count / 2 + 50)
        let second = TestDaemon(spool)
        #expect(spool.outcome("two") == "succeeded")
        #expect(spool.text("sessions/talk/transcript.jsonl") == whole)
        #expect(spool.session("talk")?["turns"]?.int == 2)
        #expect(second.stop() == 0)
    }

    @Test func aSessionThatWaitedBeforeTheCrashIsKnownToWaitAfterIt() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let first = TestDaemon(spool)
        spool.drop("asks", #"{"session": "talk", "prompt": "ASK"}"#)
        #expect(spool.session("talk", reaches: "waiting"))
        first.kill9()
        let second = TestDaemon(spool)
        spool.drop("wake", #"{"wake": "talk", "mode": "interrupt_if_waiting"}"#)
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.tries("wake") == ["heartbeat skipped prompt_active", "interrupt requested", "interrupt sent"])
        #expect(agent.story.contains("interrupted asks"))
        #expect(turns(spool) == ["user asks", "agent asks", "user wake", "agent wake"])
        #expect(second.stop() == 0)
    }

    /// By hand, or for want of memory: the process of the turn, which alone could tell what came of it.
    private func killTurn(_ spool: TestSpool, _ session: String = "talk") throws {
        kill(Int32(try #require(spool.json("sessions/\(session)/turn.json")?["process"]?["pid"]?.int)), SIGKILL)
    }

    @Test func aTurnWhoseProcessIsKilledIsLostAndIsSaidAgainOnlyWhereItMayBe() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("wake", #"{"wake": "talk", "reason": "GATE"}"#)
        #expect(agent.comes(to: "begin wake"))
        try killTurn(spool)
        #expect(spool.wait { agent.prompts(of: "wake").count == 2 })
        gate.open()
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.result(of: "wake")?["attempts"]?.int == 2)
        #expect(spool.tries("wake") == ["direct sent", "direct sent"])
        spool.drop("once", #"{"session": "talk", "prompt": "GATE", "on_crash": "fail"}"#)
        #expect(agent.comes(to: "begin once"))
        try killTurn(spool)
        #expect(spool.outcome("once") == "lost")
        #expect(spool.result(of: "once")?["signal"]?.int == 9)
        #expect(spool.result(of: "once")?["error"]?["message"]?.string?.contains("the agent may have heard the prompt") == true)
        #expect(agent.prompts(of: "once").count == 1)
        spool.drop("next", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("next") == "succeeded")
        #expect(turns(spool) == ["wake", "once", "next"].flatMap { ["user \($0)", "agent \($0)"] })
        #expect(daemon.stop() == 0)
    }

    /// What was not said can be said: also where it is to be said once.
    @Test(arguments: ["rerun", "fail"]) func aTurnThatIsKilledBeforeItsPromptIsSaidIsTriedAgain(policy: String) throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        mkdir(spool.path(".home"), 0o700)
        spool.configure("agents/slow", #"""
            {"driver": "acp", "command": ["sh", "-c", "read line < \#(gate.path); exec python3 \#(Programs.fixtures)/agents/acp.py"],
             "env": {"FAKE_HOME": "\#(spool.path(".home"))"}, "ready": {"timeout": "1d"}}
            """#)
        spool.defineSession("talk", agent: "slow")
        let daemon = TestDaemon(spool)
        spool.drop("one", #"{"session": "talk", "prompt": "say hello", "on_crash": "\#(policy)", "backoff": {"base": "10ms"}}"#)
        // It has its agent, which does not answer.
        #expect(spool.wait { spool.exists("sessions/talk/acp.json") })
        try killTurn(spool)
        #expect(spool.tells("backed_off", of: "one"))
        gate.open()
        #expect(spool.outcome("one") == "succeeded")
        #expect(spool.result(of: "one")?["attempts"]?.int == 2)
        #expect(spool.result(of: "one")?["output"]?["text"]?.string == "hello")
        #expect(spool.lines("sessions/talk/events.jsonl").filter { $0["event"]?.string == "prompt" }.count == 1)
        #expect(daemon.stop() == 0)
    }

    @Test func aTurnWhoseRunnerIsLostIsSaidAgainOnlyWhereItMayBe() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        func killRunner(of id: String) throws {
            let runner = try #require(spool.json("running/\(id)/run.json")?["runner"]?["pid"]?.int)
            kill(Int32(runner), SIGKILL)
        }
        spool.drop("wake", #"{"wake": "talk", "reason": "GATE"}"#)
        #expect(agent.comes(to: "begin wake"))
        try killRunner(of: "wake")
        #expect(spool.wait { agent.prompts(of: "wake").count == 2 })
        gate.open()
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.result(of: "wake")?["attempts"]?.int == 2)
        // At least once, and said so.
        #expect(spool.tries("wake") == ["direct sent", "direct sent"])
        #expect(spool.wake("wake")?["attempts"]?.array?.map { $0["attempt"]?.int } == [1, 2])
        spool.drop("once", #"{"session": "talk", "prompt": "GATE", "on_crash": "fail"}"#)
        #expect(agent.comes(to: "begin once"))
        try killRunner(of: "once")
        #expect(spool.outcome("once") == "lost")
        #expect(agent.prompts(of: "once").count == 1)
        spool.drop("next", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("next") == "succeeded")
        #expect(turns(spool) == ["wake", "once", "next"].flatMap { ["user \($0)", "agent \($0)"] })
        #expect(spool.lines("sessions/talk/transcript.jsonl").compactMap { $0["outcome"]?.string } == ["succeeded", "lost", "succeeded"])
        #expect(daemon.stop() == 0)
    }

    /// What one attempt has said remains said, also where the job ends before another attempt.
    @Test func aWakeThatWasSaidInAnEarlierAttemptWasSent() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("wake", #"{"wake": "talk", "reason": "GATE"}"#)
        #expect(agent.comes(to: "begin wake"))
        spool.pause()
        #expect(spool.wait { spool.json("daemon/daemon.json")?["paused"]?.bool == true })
        try killTurn(spool)
        #expect(spool.reaches("queued", "wake"))
        spool.drop("cancel", #"{"cancel": "wake"}"#)
        #expect(spool.outcome("wake") == "cancelled")
        #expect(spool.wake("wake")?["outcome"]?.string == "sent")
        #expect(daemon.stop() == 0)
    }
}
