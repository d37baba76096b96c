import Glibc
import SpoolFormat
import Testing
import TestSupport

/// How a wake finds its way to a session that is cold, at work or waiting.
@Suite struct WakeTests {
    @Test func aColdSessionIsStartedAndToldWhy() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.drop("wake", #"{"wake": "boss", "reason": "the kettle boils"}"#)
        #expect(spool.outcome("wake") == "succeeded")
        let prompt = try #require(agent.prompts(of: "wake").first)
        #expect(prompt.hasPrefix("[Rouse woke the session \"boss\" for one reason. No person wrote this.]\n\n- the kettle boils\n"))
        #expect(prompt.contains("Nothing is assigned to you by this."))
        #expect(spool.tries("wake") == ["direct sent"])
        #expect(spool.wake("wake")?["outcome"]?.string == "sent")
        #expect(spool.json("done/wake/prompt.json")?["source"]?.string == "synthetic")
        #expect(spool.lines("sessions/boss/transcript.jsonl").first?["source"]?.string == "synthetic")
        #expect(daemon.stop() == 0)
    }

    @Test func aBusySilentAgentIsNotInterruptedAndIsWokenAfterItsTurn() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss", #", "role": "coordinator", "mode": "interrupt_if_waiting""#)
        let daemon = TestDaemon(spool, environment: ["ROUSE_TEST_WAKE_DEADLINE": "1ms"])
        spool.drop("busy", #"{"session": "boss", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin busy"))
        #expect(spool.session("boss", reaches: "working"))
        spool.drop("wake", #"{"wake": "boss", "mode": "interrupt_if_waiting"}"#)
        #expect(spool.tells("accepted", of: "wake"))
        // Several looks at everything, each of which would interrupt it if silence were a sign.
        for _ in 0..<3 {
            spool.drop("probe", #"{"run": ["true"]}"#)
            #expect(spool.outcome("probe") == "succeeded")
            try? Directory(spool.path("done")).removeTree("probe")
            daemon.send(SIGUSR1)
        }
        #expect(spool.state(of: "wake") != "done")
        #expect(!spool.exists("running/busy/interrupt.json"))
        gate.open()
        #expect(spool.outcome("busy") == "succeeded")
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.tries("wake") == ["heartbeat skipped prompt_active", "direct sent"])
        #expect(agent.story == ["begin busy new", "end busy", "begin wake conversation-of-busy", "end wake"])
        #expect(daemon.stop() == 0)
    }

    @Test func aWakeThatAnotherPromptOvertakesInTheSameInstantGoesOnAfterIt() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("boss")
        spool.pause()
        let daemon = TestDaemon(spool)
        spool.drop("prompt", #"{"session": "boss", "prompt": "x"}"#)
        spool.drop("wake", #"{"wake": "boss"}"#)
        #expect(spool.reaches("queued", "wake"))
        spool.unpause()
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.tries("wake") == ["heartbeat skipped prompt_race", "direct sent"])
        #expect(agent.story.filter { $0.hasPrefix("begin") } == ["begin prompt new", "begin wake conversation-of-prompt"])
        #expect(daemon.stop() == 0)
    }

    @Test func aWaitingTurnIsInterruptedWhereTheWakeSaysSo() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.drop("asks", #"{"session": "boss", "prompt": "ASK"}"#)
        #expect(spool.session("boss", reaches: "waiting"))
        spool.drop("wake", #"{"wake": "boss", "mode": "interrupt_if_waiting"}"#)
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.outcome("asks") == "cancelled")
        #expect(spool.result(of: "asks")?["error"]?["code"]?.string == "interrupted")
        #expect(spool.tries("wake") == ["heartbeat skipped prompt_active", "interrupt requested", "interrupt sent"])
        #expect(agent.story == ["begin asks new", "interrupted asks", "begin wake new", "end wake"])
        #expect(daemon.stop() == 0)
    }

    @Test func aTurnThatBeginsToWaitLaterIsInterruptedThen() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.drop("asks", #"{"session": "boss", "prompt": "GATE, then ASK"}"#)
        #expect(spool.session("boss", reaches: "working"))
        spool.drop("wake", #"{"wake": "boss", "mode": "interrupt_if_waiting"}"#)
        #expect(spool.tells("accepted", of: "wake"))
        gate.open()
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.tries("wake") == ["heartbeat skipped prompt_active", "interrupt requested", "interrupt sent"])
        #expect(agent.story.prefix(2) == ["begin asks new", "interrupted asks"])
        #expect(daemon.stop() == 0)
    }

    @Test func aWakeThatIsNotToInterruptWaitsForTheEndOfAWaitingTurn() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool, environment: ["ROUSE_TEST_WAKE_DEADLINE": "1ms"])
        spool.drop("asks", #"{"session": "boss", "prompt": "ASK"}"#)
        #expect(spool.session("boss", reaches: "waiting"))
        spool.drop("wake", #"{"wake": "boss"}"#)
        #expect(spool.tells("accepted", of: "wake"))
        spool.drop("probe", #"{"run": ["true"]}"#)
        #expect(spool.outcome("probe") == "succeeded")
        #expect(!spool.exists("running/asks/interrupt.json"))
        gate.open()
        #expect(spool.outcome("asks") == "succeeded")
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.tries("wake") == ["heartbeat skipped prompt_active", "direct sent"])
        #expect(!agent.story.contains("interrupted asks"))
        #expect(daemon.stop() == 0)
    }

    @Test func anAgentThatIgnoresTheInterruptIsWokenAfterItsTurnAndThatIsSaid() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool, environment: ["ROUSE_TEST_WAKE_DEADLINE": "300ms"])
        spool.drop("deaf", #"{"session": "boss", "prompt": "STUBBORN"}"#)
        #expect(spool.session("boss", reaches: "waiting"))
        spool.drop("wake", #"{"wake": "boss", "mode": "interrupt_if_waiting"}"#)
        #expect(spool.tells("wake_fell_back", of: "wake"))
        #expect(spool.state(of: "deaf") == "running")
        #expect(agent.comes(to: "interrupted deaf"))
        // Only once: the deadline is for all of it.
        spool.drop("more", #"{"wake": "boss", "mode": "interrupt_if_waiting", "reason": "more"}"#)
        #expect(spool.outcome("more") == "succeeded")
        gate.open()
        #expect(spool.outcome("deaf") != nil)
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.tries("wake") == [
            "heartbeat skipped prompt_active", "interrupt requested", "interrupt timed_out the turn did not end within 300ms", "direct sent",
        ])
        #expect(agent.prompts(of: "wake").first?.contains("2 reasons") == true)
        #expect(daemon.stop() == 0)
    }

    @Test func furtherReasonsJoinTheWakeThatIsPending() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.drop("busy", #"{"session": "boss", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin busy"))
        for number in 1...10 {
            spool.drop("w\(number)", #"{"wake": "boss", "reason": "reason \#(number)"}"#)
            #expect(spool.tells("accepted", of: "w\(number)"))
        }
        for number in 2...10 {
            #expect(spool.outcome("w\(number)") == "succeeded")
            #expect(spool.wake("w\(number)") == ["session": "boss", "outcome": "coalesced", "into": "w1"])
        }
        gate.open()
        #expect(spool.outcome("w1") == "succeeded")
        #expect(agent.prompts.map(\.name) == ["busy.1", "w1.1"])
        let told = try #require(agent.prompts(of: "w1").first).split(separator: "\n").filter { $0.hasPrefix("- ") }
        #expect(told == (1...10).map { "- reason \($0)" })
        let reasons = try #require(spool.wake("w1")?["reasons"]?.array)
        #expect(reasons.map { $0["by"]?.string } == (1...10).map { "w\($0)" })
        #expect(reasons.map { $0["text"]?.string } == (1...10).map { "reason \($0)" })
        #expect(daemon.stop() == 0)
    }

    @Test func aWakeThatComesDuringAWakesTurnIsAnother() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.drop("one", #"{"wake": "boss", "reason": "GATE"}"#)
        #expect(agent.comes(to: "begin one"))
        spool.drop("two", #"{"wake": "boss", "reason": "news"}"#)
        #expect(spool.tells("accepted", of: "two"))
        gate.open()
        #expect(spool.outcome("two") == "succeeded")
        #expect(spool.tries("two") == ["heartbeat skipped prompt_active", "direct sent"])
        #expect(agent.prompts.map(\.name) == ["one.1", "two.1"])
        #expect(daemon.stop() == 0)
    }

    @Test func theInterruptIsForTheTurnThatWaitsAndSparesTheOneThatComesBeforeTheWake() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool, environment: ["ROUSE_TEST_WAKE_DEADLINE": "1h"])
        spool.drop("asks", #"{"session": "boss", "prompt": "GATE, then ASK"}"#)
        #expect(agent.comes(to: "begin asks"))
        spool.drop("works", #"{"session": "boss", "prompt": "GATE"}"#)
        #expect(spool.reaches("queued", "works"))
        spool.drop("wake", #"{"wake": "boss", "mode": "interrupt_if_waiting"}"#)
        #expect(spool.tells("accepted", of: "wake"))
        gate.open()
        #expect(spool.outcome("asks") == "cancelled")
        #expect(agent.comes(to: "begin works"))
        daemon.send(SIGUSR1)
        spool.drop("probe", #"{"run": ["true"]}"#)
        #expect(spool.outcome("probe") == "succeeded")
        #expect(!spool.exists("running/works/interrupt.json"))
        gate.open()
        #expect(spool.outcome("works") == "succeeded")
        #expect(spool.outcome("wake") == "succeeded")
        #expect(spool.tries("wake") == ["heartbeat skipped prompt_active", "interrupt requested", "direct sent"])
        #expect(daemon.stop() == 0)
    }

    @Test func aWakeThatCannotBeDeliveredSaysSo() {
        let spool = TestSpool()
        spool.configure("agents/gone", #"{"driver": "command", "command": ["/nowhere/agent"]}"#)
        spool.defineSession("boss", agent: "gone")
        let daemon = TestDaemon(spool)
        spool.drop("wake", #"{"wake": "boss", "reason": "x"}"#)
        #expect(spool.outcome("wake") == "failed")
        #expect(spool.wake("wake")?["outcome"]?.string == "failed")
        #expect(spool.tries("wake").allSatisfy { $0.hasPrefix("direct failed cannot start /nowhere/agent") })
        #expect(spool.wake("wake")?["reasons"]?.array?.count == 1)
        #expect(daemon.stop() == 0)
    }

    @Test func aLockedSessionIsWokenWhenItIsUnlocked() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.drop("shut", #"{"lock": "boss"}"#)
        #expect(spool.outcome("shut") == "succeeded")
        spool.drop("w1", #"{"wake": "boss", "reason": "one"}"#)
        #expect(spool.reaches("queued", "w1"))
        spool.drop("w2", #"{"wake": "boss", "reason": "two"}"#)
        #expect(spool.outcome("w2") == "succeeded")
        #expect(agent.prompts.isEmpty)
        spool.drop("open", #"{"unlock": "boss"}"#)
        #expect(spool.outcome("w1") == "succeeded")
        #expect(agent.prompts.map(\.name) == ["w1.1"])
        #expect(daemon.stop() == 0)
    }

    @Test func eachSessionOfAListIsWoken() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        for name in ["a", "b", "c"] { spool.defineSession(name) }
        let daemon = TestDaemon(spool)
        spool.drop("all", #"{"wake": ["a", "b"], "reason": "look", "labels": {"why": "test"}}"#)
        #expect(spool.outcome("all") == "succeeded")
        #expect(spool.outcome("all.0") == "succeeded")
        #expect(spool.outcome("all.1") == "succeeded")
        #expect(spool.wake("all.0")?["session"]?.string == "a")
        #expect(spool.wake("all.1")?["session"]?.string == "b")
        #expect(agent.prompts.map(\.name) == ["all.0.1", "all.1.1"])
        #expect(spool.json("done/all.0/task.json")?["labels"]?["why"]?.string == "test")
        #expect(spool.session("c")?["turns"]?.int == 0)
        #expect(daemon.stop() == 0)
    }

    @Test func aScheduleWakesASession() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.configure("schedules/tick", #"{"every": "1s", "task": {"wake": "boss", "reason": "a second has passed"}}"#)
        #expect(spool.wait { !agent.prompts.isEmpty })
        spool.configure("schedules/tick", #"{"every": "1h", "task": {"wake": "boss"}}"#)
        let (name, prompt) = try #require(agent.prompts.first)
        #expect(name.hasPrefix("tick."))
        #expect(prompt.contains("- a second has passed\n"))
        #expect(daemon.stop() == 0)
    }
}
