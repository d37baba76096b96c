import SpoolFormat
import Testing
import TestSupport

/// The line of prompts that wait for a session, and who is not let into it.
@Suite struct LineTests {
    @Test func promptsOfASessionRunOneAtATimeAndInOrder() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        spool.defineSession("other")
        spool.pause()
        let daemon = TestDaemon(spool)
        let ids = (0..<8).map { "p\($0)" }
        for id in ids {
            spool.drop(id, #"{"session": "talk", "prompt": "\#(id)"}"#)
            #expect(spool.reaches("queued", id))
        }
        spool.unpause()
        #expect(spool.outcome("p7") == "succeeded")
        #expect(agent.story == ids.flatMap { id in ["begin \(id) \(id == "p0" ? "new" : "conversation-of-p0")", "end \(id)"] })
        #expect(daemon.stop() == 0)
    }

    @Test func thePromptThatIsOneTooManyIsRefused() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        spool.defineSession("narrow", #", "pending": 1"#)
        let daemon = TestDaemon(spool)
        spool.drop("running", #"{"session": "talk", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin running"))
        for number in 1...10 { spool.drop("p\(number)", #"{"session": "talk", "prompt": "x"}"#) }
        #expect(spool.reaches("queued", "p10"))
        spool.drop("p11", #"{"session": "talk", "prompt": "x"}"#)
        let rejection = try #require(spool.rejection(of: "p11"))
        #expect(rejection["code"]?.string == "too_many_prompts")
        #expect(rejection["message"]?.string?.contains("10 prompts wait") == true)
        #expect(rejection["where"]?["field"]?.string == "session")
        #expect(rejection["hint"]?.string?.contains("pending") == true)
        // Neither a wake nor a note is a prompt that somebody waits with.
        spool.drop("wake", #"{"wake": "talk"}"#)
        #expect(spool.wait { spool.exists("queued/wake") })
        spool.drop("batch", #"{"tasks": [{"session": "narrow", "prompt": "one"}, {"session": "narrow", "prompt": "two"}]}"#)
        #expect(spool.rejection(of: "batch")?["code"]?.string == "too_many_prompts")
        #expect(spool.rejection(of: "batch")?["where"]?["field"]?.string == "tasks[1].session")
        gate.open()
        #expect(spool.outcome("p10") == "succeeded")
        spool.drop("p12", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("p12") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func whoIsUnknownIsRefusedWithTheNearestName() {
        let spool = TestSpool()
        _ = ScriptAgent(spool)
        spool.defineSession("coordinator")
        let daemon = TestDaemon(spool)
        let bad = [
            ("session", #"{"session": "cordinator", "prompt": "x"}"#, "unknown_session", "session", #"did you mean "coordinator"?"#),
            ("agent", #"{"agent": "scrip", "prompt": "x"}"#, "unknown_agent", "agent", #"did you mean "script"?"#),
            ("wake", #"{"wake": "coordinato"}"#, "unknown_session", "wake", #"did you mean "coordinator"?"#),
            ("note", #"{"note": "x", "session": "coordinatr"}"#, "unknown_session", "session", #"did you mean "coordinator"?"#),
            ("notify", #"{"run": ["true"], "notify": ["coordinator", "coordinater"]}"#, "unknown_session", "notify[1]", #"did you mean "coordinator"?"#),
            ("stop", #"{"stop": "zebra"}"#, "unknown_session", "stop", #"open it: {"open": "zebra", "agent": "<agent>"}, or write config/sessions/zebra.json"#),
            ("hold", #"{"hold": {"session": "coordinators"}}"#, "unknown_session", "hold.session", #"did you mean "coordinator"?"#),
        ]
        for (name, text, code, field, hint) in bad {
            spool.drop(name, text)
            let rejection = spool.rejection(of: name)
            #expect(rejection?["code"]?.string == code, "\(name)")
            #expect(rejection?["where"]?["field"]?.string == field, "\(name)")
            #expect(rejection?["hint"]?.string == hint, "\(name)")
        }
        #expect(daemon.stop() == 0)
    }

    @Test func aLockedSessionRefusesPromptsAtOnceWithReasonAndHint() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        // All are there when the daemon looks; the lock comes from somebody else, a moment before the prompt. What comes
        // at the same time by the clock of the file system goes by its name.
        spool.drop("a-note", #"{"note": "x", "session": "talk"}"#)
        spool.drop("b-lock", #"{"lock": "talk", "reason": "it was forked", "hint": "talk to talk-2"}"#)
        spool.drop("c-late", #"{"session": "talk", "prompt": "x"}"#)
        let first = TestDaemon(spool)
        func check(_ name: String) throws {
            let rejection = try #require(spool.rejection(of: name))
            #expect(rejection["code"]?.string == "session_locked", "\(name)")
            #expect(rejection["message"]?.string == #"the session "talk" is locked by b-lock: it was forked"#, "\(name)")
            #expect(rejection["hint"]?.string == "talk to talk-2", "\(name)")
        }
        try check("c-late")
        #expect(spool.outcome("b-lock") == "succeeded")
        #expect(spool.session("talk", reaches: "locked"))
        first.kill9()
        let second = TestDaemon(spool)
        spool.drop("later", #"{"session": "talk", "prompt": "x"}"#)
        try check("later")
        spool.drop("open", #"{"unlock": "talk"}"#)
        #expect(spool.outcome("open") == "succeeded")
        spool.drop("last", #"{"session": "talk", "prompt": "now"}"#)
        #expect(spool.outcome("last") == "succeeded")
        #expect(agent.prompts(of: "last") == ["Note: x\n\nnow"])
        #expect(second.stop() == 0)
    }
}
