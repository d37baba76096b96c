import SpoolFormat
import Testing
import TestSupport

/// Verbs that act on sessions.
@Suite struct VerbTests {
    @Test func aPausedSessionTakesPromptsAndStartsNoneEvenAfterACrash() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        spool.defineSession("other")
        let first = TestDaemon(spool)
        spool.drop("halt", #"{"pause": "talk"}"#)
        #expect(spool.outcome("halt") == "succeeded")
        #expect(spool.session("talk", reaches: "paused"))
        spool.drop("waits", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.reaches("queued", "waits"))
        first.kill9()
        let second = TestDaemon(spool)
        spool.drop("goes", #"{"session": "other", "prompt": "x"}"#)
        #expect(spool.outcome("goes") == "succeeded")
        #expect(spool.state(of: "waits") == "queued")
        #expect(agent.prompts(of: "waits").isEmpty)
        spool.drop("go", #"{"resume": "talk"}"#)
        #expect(spool.outcome("waits") == "succeeded")
        spool.drop("go-again", #"{"resume": "talk"}"#)
        #expect(spool.outcome("go-again") == "failed")
        #expect(spool.result(of: "go-again")?["error"]?["code"]?.string == "not_paused")
        #expect(second.stop() == 0)
    }

    @Test func theTurnsOfASessionAreHeldAndReleased() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("running", #"{"session": "talk", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin running"))
        spool.drop("held", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.reaches("queued", "held"))
        spool.drop("hold", #"{"hold": {"session": "talk"}}"#)
        #expect(spool.outcome("hold") == "succeeded")
        #expect(spool.json("waiting/held/state.json")?["reason"]?.string == "hold")
        gate.open()
        #expect(spool.outcome("running") == "succeeded")
        spool.drop("after", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("after") == "succeeded")
        #expect(spool.state(of: "held") == "waiting")
        spool.drop("release", #"{"release": {"session": "talk"}}"#)
        #expect(spool.outcome("held") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func stopTellsStoppingFromStopped() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("stop-cold", #"{"stop": "talk"}"#)
        #expect(spool.outcome("stop-cold") == "succeeded")
        #expect(spool.result(of: "stop-cold")?["output"]?["was"]?.string == "cold")
        #expect(spool.result(of: "stop-cold")?["output"]?["now"]?.string == "cold")
        spool.drop("running", #"{"session": "talk", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin running"))
        #expect(spool.session("talk", reaches: "working"))
        spool.drop("halt", #"{"stop": "talk", "reason": "enough"}"#)
        #expect(spool.outcome("halt") == "succeeded")
        let output = try #require(spool.result(of: "halt")?["output"])
        #expect(output["was"]?.string == "working")
        #expect(output["now"]?.string == "stopping")
        #expect(output["reason"]?.string == "enough")
        #expect(spool.outcome("running") == "cancelled")
        #expect(spool.session("talk", reaches: "cold"))
        let states = spool.events().filter { $0["event"]?.string == "session_state" }.compactMap { $0["to"]?.string }
        #expect(states.suffix(2) == ["stopping", "cold"])
        spool.drop("next", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("next") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func anInterruptEndsTheTurnAndNothingElse() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("early", #"{"interrupt": "talk"}"#)
        #expect(spool.outcome("early") == "failed")
        #expect(spool.result(of: "early")?["error"]?["code"]?.string == "no_turn")
        spool.drop("first", #"{"session": "talk", "prompt": "hello"}"#)
        #expect(spool.outcome("first") == "succeeded")
        spool.drop("running", #"{"session": "talk", "prompt": "ASK"}"#)
        #expect(spool.session("talk", reaches: "waiting"))
        spool.drop("queued", #"{"session": "talk", "prompt": "x"}"#)
        spool.drop("enough", #"{"interrupt": "talk"}"#)
        #expect(spool.outcome("running") == "cancelled")
        #expect(agent.story.contains("interrupted running"))
        #expect(spool.outcome("queued") == "succeeded")
        // The conversation is still the same.
        #expect(agent.story.last { $0.hasPrefix("begin") } == "begin queued conversation-of-first")
        #expect(spool.lines("sessions/talk/transcript.jsonl").map { $0["outcome"]?.string }.compactMap(\.self) == ["succeeded", "cancelled", "succeeded"])
        #expect(daemon.stop() == 0)
    }

    @Test func aRestartForgetsTheConversationOnlyWhereThatIsSaid() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("one", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("one") == "succeeded")
        spool.drop("again", #"{"restart": "talk"}"#)
        #expect(spool.outcome("again") == "succeeded")
        spool.drop("two", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("two") == "succeeded")
        spool.drop("anew", #"{"restart": "talk", "fresh": true}"#)
        #expect(spool.outcome("anew") == "succeeded")
        spool.drop("three", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("three") == "succeeded")
        #expect(agent.story.filter { $0.hasPrefix("begin") } == ["begin one new", "begin two conversation-of-one", "begin three new"])
        #expect(spool.session("talk")?["agent_session"]?.string == "conversation-of-three")
        #expect(daemon.stop() == 0)
    }

    @Test func aSessionThatWasOpenedIsThereAfterACrash() {
        let spool = TestSpool()
        _ = ScriptAgent(spool)
        spool.defineSession("fixed")
        let first = TestDaemon(spool)
        spool.drop("make", #"{"open": "made", "agent": "script", "pending": 3}"#)
        #expect(spool.outcome("make") == "succeeded")
        spool.drop("make-fixed", #"{"open": "fixed", "agent": "script", "pending": 3}"#)
        #expect(spool.outcome("make-fixed") == "failed")
        #expect(spool.result(of: "make-fixed")?["error"]?["code"]?.string == "configured")
        first.kill9()
        let second = TestDaemon(spool)
        spool.drop("talk", #"{"session": "made", "prompt": "x"}"#)
        #expect(spool.outcome("talk") == "succeeded")
        #expect(spool.json("sessions/made/session.json")?["pending"]?.int == 3)
        #expect(second.stop() == 0)
    }

    /// The name is free again when the job of that name was taken away: each week's is another verb.
    @Test(arguments: ["stop", "restart"]) func aVerbOfANameThatIsFreeAgainIsCarriedOut(verb: String) {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        for (week, turn) in ["first", "second"].enumerated() {
            let daemon = TestDaemon(spool)
            spool.drop(turn, #"{"session": "talk", "prompt": "GATE"}"#)
            #expect(agent.comes(to: "begin \(turn)"))
            spool.drop("weekly", #"{"\#(verb)": "talk"}"#)
            #expect(spool.outcome("weekly") == "succeeded")
            #expect(spool.outcome(turn) == "cancelled")
            #expect(daemon.stop() == 0)
            #expect(spool.move("done/weekly", to: ".week-\(week)"))
        }
    }

    /// A verb that is moved back into the inbox is carried out again, whatever came of it before.
    @Test func aVerbThatIsRetriedIsCarriedOutAgain() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("int", #"{"interrupt": "talk"}"#)
        #expect(spool.outcome("int") == "failed")
        #expect(spool.result(of: "int")?["error"]?["code"]?.string == "no_turn")
        for (number, turn) in ["one", "two", "three"].enumerated() {
            spool.drop(turn, #"{"session": "talk", "prompt": "ASK"}"#)
            #expect(agent.comes(to: "begin \(turn)"))
            #expect(spool.session("talk", reaches: "waiting"))
            #expect(spool.move("\(number == 0 ? "failed" : "done")/int", to: "inbox/int"))
            #expect(spool.outcome("int") == "succeeded")
            #expect(spool.outcome(turn) == "cancelled")
            #expect(spool.result(of: "int")?["attempts"]?.int == number + 2)
        }
        #expect(spool.list("done/int/attempts") == ["1", "2", "3"])
        spool.drop("halt", #"{"stop": "talk"}"#)
        #expect(spool.outcome("halt") == "succeeded")
        spool.drop("last", #"{"session": "talk", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin last"))
        #expect(spool.move("done/halt", to: "inbox/halt"))
        #expect(spool.outcome("last") == "cancelled")
        #expect(daemon.stop() == 0)
    }
}
