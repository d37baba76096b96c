import SpoolFormat
import Testing
import TestSupport

@Suite struct NoteTests {
    @Test func notesGoInFrontOfTheNextPromptOnce() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("note-1", #"{"note": "the build is red", "session": "talk"}"#)
        spool.drop("note-2", #"{"note": "it is Friday", "session": "talk"}"#)
        #expect(spool.outcome("note-1") == "succeeded")
        #expect(spool.outcome("note-2") == "succeeded")
        // Context alone starts no turn.
        #expect(spool.list("sessions/talk/notes") == ["note-1.json", "note-2.json"])
        #expect(agent.prompts.isEmpty)
        spool.drop("one", #"{"session": "talk", "prompt": "What now?"}"#)
        spool.drop("two", #"{"session": "talk", "prompt": "And now?"}"#)
        #expect(spool.outcome("two") == "succeeded")
        #expect(agent.prompts(of: "one") == ["Note: the build is red\n\nNote: it is Friday\n\nWhat now?"])
        #expect(agent.prompts(of: "two") == ["And now?"])
        #expect(spool.list("sessions/talk/notes").isEmpty)
        #expect(daemon.stop() == 0)
    }

    @Test func aPromptThatIsTriedAgainKeepsItsNotes() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("note", #"{"note": "mind the gap", "session": "talk"}"#)
        #expect(spool.outcome("note") == "succeeded")
        spool.drop("bad", #"{"session": "talk", "prompt": "FAIL", "retries": 1, "backoff": {"base": "10ms", "jitter": 0}}"#)
        #expect(spool.outcome("bad") == "failed")
        spool.drop("retry", #"{"retry": "bad"}"#)
        #expect(spool.wait { spool.result(of: "bad")?["attempts"]?.int == 4 })
        #expect(agent.prompts(of: "bad") == Array(repeating: "Note: mind the gap\n\nFAIL", count: 4))
        spool.drop("next", #"{"session": "talk", "prompt": "next"}"#)
        #expect(spool.outcome("next") == "succeeded")
        #expect(agent.prompts(of: "next") == ["next"])
        #expect(daemon.stop() == 0)
    }
}
