import SpoolFormat
import Testing
import TestSupport

/// A prompt reaches an agent, and what comes of it is there to be read.
@Suite struct TurnTests {
    @Test func aPromptRunsAsATurnThatLeavesTheFilesOfAJob() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("hello", #"{"session": "talk", "prompt": "How are you?"}"#)
        #expect(spool.outcome("hello") == "succeeded")
        #expect(spool.session("talk", reaches: "cold"))

        let task = try #require(spool.json("done/hello/task.json"))
        #expect(task["queue"]?.string == "session:talk")
        #expect(task["prompt"]?.string == "How are you?")
        let prompt = try #require(spool.json("done/hello/prompt.json"))
        #expect(prompt["source"]?.string == "prompt")
        #expect(prompt["content"] == [["type": "text", "text": "How are you?"]])
        #expect(agent.prompts(of: "hello") == ["How are you?"])
        #expect(spool.text("done/hello/log")?.contains("answer to hello") == true)
        let result = try #require(spool.result(of: "hello"))
        #expect(result["output"]?["text"]?.string == "answer to hello")
        #expect(result["output"]?["stop_reason"]?.string == "end_turn")
        #expect(result["usage"]?["input_tokens"]?.int == 3)
        #expect(result["attempts"]?.int == 1)

        let said = spool.lines("sessions/talk/transcript.jsonl")
        #expect(said.map { $0["role"]?.string } == ["user", "agent"])
        #expect(said.map { $0["text"]?.string } == ["How are you?", "answer to hello"])
        #expect(said.allSatisfy { $0["turn"]?.string == "hello" })
        #expect(said.first?["source"]?.string == "prompt")
        #expect(said.last?["outcome"]?.string == "succeeded")

        #expect(spool.json("sessions/talk/session.json")?["agent"]?.string == "script")
        let session = try #require(spool.session("talk"))
        #expect(session["agent_session"]?.string == "conversation-of-hello")
        #expect(session["turns"]?.int == 1)
        #expect(session["last_outcome"]?.string == "succeeded")
        #expect(session["turn"] == nil)
        for file in ["turn.json", "waiting.json"] { #expect(!spool.exists("sessions/talk/\(file)")) }
        #expect(daemon.stop() == 0)
    }

    @Test func aLaterTurnGoesOnWithTheAgentsOwnConversation() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        for id in ["t1", "t2", "t3"] { spool.drop(id, #"{"session": "talk", "prompt": "\#(id)"}"#) }
        #expect(spool.outcome("t3") == "succeeded")
        #expect(agent.story.filter { $0.hasPrefix("begin") } == [
            "begin t1 new", "begin t2 conversation-of-t1", "begin t3 conversation-of-t1",
        ])
        #expect(spool.lines("sessions/talk/transcript.jsonl").map { $0["turn"]?.string } == ["t1", "t1", "t2", "t2", "t3", "t3"])
        #expect(daemon.stop() == 0)
    }

    @Test func theStateOfASessionIsThatOfItsTurn() {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        #expect(spool.session("talk", reaches: "cold"))
        spool.drop("asks", #"{"session": "talk", "prompt": "ASK"}"#)
        #expect(agent.comes(to: "begin asks"))
        #expect(spool.session("talk", reaches: "waiting"))
        #expect(spool.session("talk")?["turn"]?.string == "asks")
        gate.open()
        #expect(spool.outcome("asks") == "succeeded")
        spool.drop("works", #"{"session": "talk", "prompt": "GATE"}"#)
        #expect(spool.session("talk", reaches: "working"))
        gate.open()
        #expect(spool.outcome("works") == "succeeded")
        #expect(spool.session("talk", reaches: "cold"))
        let states = spool.events().filter { $0["event"]?.string == "session_state" }.compactMap { $0["to"]?.string }
        // Some are so short that nobody sees them.
        #expect(states.filter { $0 == "waiting" || $0 == "cold" } == ["waiting", "cold", "cold"], "\(states)")
        #expect(daemon.stop() == 0)
    }

    @Test func contentBlocksReachTheAgentAndPeopleSeeTheDisplay() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("blocks", #"""
            {"session": "talk", "display": "Look at this", "prompt": [
              {"type": "text", "text": "What is it?"},
              {"type": "image", "data": "AAAA", "mimeType": "image/png"},
              {"type": "resource_link", "uri": "file:///notes.txt", "name": "the notes"}]}
            """#)
        #expect(spool.outcome("blocks") == "succeeded")
        let text = try #require(agent.prompts(of: "blocks").first)
        #expect(text == "What is it?\n\n[image: image/png, 3 bytes]\n\n[the notes](file:///notes.txt)")
        let said = try #require(spool.lines("sessions/talk/transcript.jsonl").first)
        #expect(said["display"]?.string == "Look at this")
        #expect(said["content"]?.array?.compactMap { $0["type"]?.string } == ["text", "image", "resource_link"])
        #expect(spool.json("done/blocks/task.json")?["display"]?.string == "Look at this")
        #expect(spool.result(of: "blocks")?["warnings"]?.array?.contains { $0.string?.contains("images") == true } == true)
        #expect(daemon.stop() == 0)
    }

    @Test func eventsComeInOrder() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("first", #"{"session": "talk", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin first"))
        // The agent has its prompt: by now its event is there, and its end is not.
        #expect(spool.lines("sessions/talk/events.jsonl").map { $0["event"]?.string } == ["prompt"])
        gate.open()
        #expect(spool.outcome("first") == "succeeded")
        spool.drop("second", #"{"session": "talk", "prompt": "again"}"#)
        #expect(spool.outcome("second") == "succeeded")
        let events = spool.lines("sessions/talk/events.jsonl")
        #expect(events.filter { $0["event"]?.string != "update" }.map { "\($0["event"]?.string ?? "") \($0["turn"]?.string ?? "")" } == [
            "prompt first", "reply first", "prompt second", "reply second",
        ])
        #expect(events.first?["content"] == [["type": "text", "text": "GATE"]])
        #expect(spool.tells("finished", of: "second"))
        let told = spool.events().compactMap { event in
            ["accepted", "started", "session_opened", "finished"].contains(event["event"]?.string ?? "")
                ? "\(event["event"]!.string!) \(event["job"]?.string ?? "")" : nil
        }
        #expect(told == [
            "accepted first", "started first", "session_opened first", "finished first", "accepted second", "started second", "finished second",
        ])
        #expect(daemon.stop() == 0)
    }

    @Test func aTurnThatFailsSaysWhyAndIsTriedAgainAsAskedFor() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("bad", #"{"session": "talk", "prompt": "FAIL", "retries": 1, "backoff": {"base": "10ms", "jitter": 0}}"#)
        #expect(spool.outcome("bad") == "failed")
        let result = try #require(spool.result(of: "bad"))
        #expect(result["attempts"]?.int == 2)
        #expect(result["error"]?["message"]?.string?.contains("code 3") == true)
        #expect(agent.prompts.map(\.name) == ["bad.1", "bad.2"])
        #expect(spool.lines("sessions/talk/transcript.jsonl").last?["outcome"]?.string == "failed")
        #expect(daemon.stop() == 0)
    }

    @Test func aPromptForAnAgentRunsOnceWithoutASession() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        let daemon = TestDaemon(spool)
        spool.drop("once", #"{"agent": "script", "prompt": "one thing"}"#)
        #expect(spool.outcome("once") == "succeeded")
        #expect(agent.prompts(of: "once") == ["one thing"])
        #expect(spool.result(of: "once")?["output"]?["text"]?.string == "answer to once")
        #expect(spool.list("sessions").isEmpty)
        #expect(daemon.stop() == 0)
    }

    /// The driver tells the agent what it is that it reads; the transcript's end bears no second preface.
    @Test func anAgentThatLostTheConversationIsToldSoOnce() throws {
        let spool = TestSpool()
        let said = "\(spool.path)/.said"
        spool.configure("agents/forgetful", JSONWriter.text([
            "driver": "command", "command": ["/bin/sh", "-c", .string(#"cat > '\#(said)'; echo '{"text": "yes", "id": "one"}'"#)],
            "resume": ["/bin/sh", "-c", "echo gone >&2; exit 1"],
            "output": ["format": "json", "text": "text", "session": "id", "lost_session_pattern": "gone"],
        ]))
        spool.defineSession("talk", agent: "forgetful")
        let daemon = TestDaemon(spool)
        spool.drop("t1", #"{"session": "talk", "prompt": "hello"}"#)
        #expect(spool.outcome("t1") == "succeeded")
        spool.drop("t2", #"{"session": "talk", "prompt": "and now?"}"#)
        #expect(spool.outcome("t2") == "succeeded")
        #expect(spool.text(".said") == """
            This goes on from an earlier conversation, which is lost to you. It ended so:

            They said: hello

            You answered: yes

            (The end of the earlier conversation. What follows is new.)

            and now?
            """)
        #expect(daemon.stop() == 0)
    }

    @Test func whatAConversationHasCostIsNotTakenFromTheCostOfAnother() throws {
        let spool = TestSpool()
        let count = "\(spool.path)/.count"
        spool.configure("agents/brief", JSONWriter.text([
            "driver": "command",
            "command": ["/bin/sh", "-c", .string(#"cat > /dev/null; echo >> '\#(count)'; echo "{\"text\": \"yes\", \"cost\": $(wc -l < '\#(count)')}""#)],
            "output": ["format": "json", "text": "text", "cost": "cost", "cumulative": ["cost"]],
        ]))
        spool.defineSession("talk", agent: "brief")
        let daemon = TestDaemon(spool)
        for id in ["t1", "t2", "t3"] { spool.drop(id, #"{"session": "talk", "prompt": "hello"}"#) }
        #expect(spool.outcome("t3") == "succeeded")
        #expect(["t1", "t2", "t3"].map { spool.result(of: $0)?["usage"]?["cost_usd"]?.double } == [1, 2, 3])
        #expect(daemon.stop() == 0)
    }

    @Test func anAnswerSaysToWhichRequestItWasGiven() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("asks", #"{"session": "talk", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin asks"))
        // As if it stood there from a moment ago: the turn has asked nothing since.
        var waiting = WaitingRecord(.question, job: "asks", message: "What?")
        waiting.request = 7
        try Directory(spool.path).directory("sessions").directory("talk").replace("waiting.json", with: JSONWriter.write(waiting.json))
        spool.drop("answer", #"{"answer": "that", "session": "talk"}"#)
        #expect(spool.outcome("answer") == "succeeded")
        #expect(spool.wait { spool.lines("sessions/talk/events.jsonl").contains { $0["event"]?.string == "answer_late" && $0["request"]?.int == 7 } })
        gate.open()
        #expect(spool.outcome("asks") == "succeeded")
        #expect(daemon.stop() == 0)
    }
}
