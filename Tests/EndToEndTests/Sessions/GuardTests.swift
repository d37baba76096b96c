import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Who may only speak to an agent can do no more than that; and what a session is must stay what was said.
@Suite struct GuardTests {
    /// Drops a file of another user into a queue that is open to them.
    private func dropAs(_ uid: UInt32, _ spool: TestSpool, _ name: String, _ text: String) {
        let file = spool.path(".\(name)")
        spool.write(text, to: file)
        chown(file, uid, uid)
        _ = rename(file, spool.path("inbox/open/\(name).json"))
    }

    private func openQueue(_ spool: TestSpool, _ accept: String) {
        mkdir(spool.path("inbox/open"), 0o700)
        spool.configure("queues/open", #"{"accept": {\#(accept)}}"#)
    }

    @Test(.enabled(if: geteuid() == 0), arguments: [
        ("env", #"{"agent": "script", "prompt": "x", "env": {"LD_PRELOAD": "/tmp/x.so"}}"#),
        ("cwd", #"{"agent": "script", "prompt": "x", "cwd": "/tmp"}"#),
        ("reply_to", #"{"session": "talk", "prompt": "x", "reply_to": "/tmp/x.json"}"#),
    ])
    func anotherUsersPromptDecidesNothingButWhatIsSaid(field: String, task: String) {
        let spool = TestSpool()
        _ = ScriptAgent(spool)
        spool.defineSession("talk")
        openQueue(spool, #""verbs": ["prompt"], "uids": [4711]"#)
        let daemon = TestDaemon(spool)
        dropAs(4711, spool, "theirs", task)
        let reason = spool.rejection(of: "theirs")
        #expect(reason?["code"]?.string == "user_not_accepted" && reason?["where"]?["field"]?.string == field, "\(String(describing: reason))")
        dropAs(4711, spool, "plain", #"{"session": "talk", "prompt": "hello"}"#)
        #expect(spool.outcome("plain") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test(.enabled(if: geteuid() == 0)) func anotherUserSpeaksToNoOtherAgentByWhateverVerb() {
        let spool = TestSpool()
        _ = ScriptAgent(spool)
        _ = ScriptAgent(spool, named: "other")
        spool.defineSession("talk")
        spool.defineSession("closed", agent: "other")
        openQueue(spool, #""agents": ["script"], "uids": [4711]"#)
        let daemon = TestDaemon(spool)
        let tasks = [
            #"{"session": "closed", "prompt": "x"}"#, #"{"wake": "closed", "reason": "x"}"#, #"{"note": "x", "session": "closed"}"#,
            #"{"answer": "x", "session": "closed"}"#, #"{"stop": "closed"}"#, #"{"open": "mine", "agent": "other"}"#,
            #"{"session": "talk", "prompt": "x", "notify": "closed"}"#,
        ]
        for (index, task) in tasks.enumerated() {
            dropAs(4711, spool, "t\(index)", task)
            #expect(spool.rejection(of: "t\(index)")?["code"]?.string == "agent_not_accepted", "\(task)")
        }
        dropAs(4711, spool, "wake", #"{"wake": "talk", "reason": "theirs"}"#)
        #expect(spool.outcome("wake") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    /// A wake of another user is a reason in a wake of the daemon's, which the other can't take back.
    @Test(.enabled(if: geteuid() == 0)) func reasonsAreNotLostWithTheWakeOfAnotherUser() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss", #", "coordinates": {"queues": ["work"]}, "wake_on": ["failed"]"#)
        openQueue(spool, #""verbs": ["wake", "cancel"], "uids": [4711]"#)
        let daemon = TestDaemon(spool)
        spool.drop("busy", #"{"session": "boss", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin busy"))
        dropAs(4711, spool, "theirs", #"{"wake": "boss", "reason": "theirs"}"#)
        #expect(spool.outcome("theirs") == "succeeded")
        let wake = try #require(spool.wake("theirs")?["into"]?.string)
        #expect(spool.wake("theirs")?["outcome"]?.string == "coalesced" && wake != "theirs")
        spool.drop("job", #"{"run": ["false"], "queue": "work"}"#)
        #expect(spool.outcome("job") == "failed")
        dropAs(4711, spool, "cancel", #"{"cancel": "\#(wake)"}"#)
        #expect(spool.finished("cancel")?["error"]?["code"]?.string == "not_allowed")
        gate.open()
        #expect(spool.outcome(wake) == "succeeded")
        #expect(agent.prompts(of: wake).count == 1 && agent.prompts(of: wake)[0].contains("job job") && agent.prompts(of: wake)[0].contains("theirs"))
        #expect(daemon.stop() == 0)
    }

    @Test(arguments: ["wake:talk", "process:talk"]) func keysOfSessionsAreTheirs(key: String) {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": ["true"], "key": "\#(key)"}"#)
        #expect(spool.rejection(of: "job")?["code"]?.string == "bad_value")
        #expect(daemon.stop() == 0)
    }

    /// What is the daemon's own end, and not the agent's death, breaks no session.
    @Test func endsThatWereWantedAreNoDeaths() throws {
        let spool = TestSpool()
        spool.configure("agents/cat", #"{"driver": "acp", "command": ["cat"]}"#)
        spool.defineSession("talk", agent: "cat")
        let daemon = TestDaemon(spool)
        for number in 0..<6 {
            spool.drop("open\(number)", #"{"open": "talk"}"#)
            #expect(spool.session("talk", reaches: "idle"))
            let process = try #require(spool.session("talk")?["process"]?.string)
            spool.drop("cancel\(number)", #"{"cancel": "\#(process)"}"#)
            #expect(spool.outcome(process) == "cancelled")
            #expect(spool.session("talk", reaches: "cold"))
        }
        #expect(spool.session("talk")?["broken"] == nil)
        #expect(daemon.stop() == 0)
    }

    /// A session whose agent is another one now is not answered by the process of the one before.
    @Test func aProcessOfAnotherAgentIsReplaced() throws {
        let spool = TestSpool()
        let home = spool.path(".agent")
        mkdir(home, 0o700)
        let program = Programs.fixtures + "/agents/conforming.py"
        for name in ["one", "two"] {
            spool.configure("agents/\(name)", #"{"driver": "acp", "command": ["python3", "\#(program)", "acp", "\#(home)", "\#(name)"]}"#)
        }
        spool.defineSession("talk", agent: "one")
        let daemon = TestDaemon(spool)
        spool.drop("p1", #"{"session": "talk", "prompt": "hello"}"#)
        #expect(spool.finished("p1")?["output"]?["text"]?.string == "heard 1 of one: 5 characters")
        spool.defineSession("talk", agent: "two")
        #expect(spool.wait { spool.session("talk")?["agent"]?.string == "two" })
        spool.drop("p2", #"{"session": "talk", "prompt": "hello"}"#)
        #expect(spool.finished("p2")?["output"]?["text"]?.string == "heard 1 of two: 5 characters")
        // The session goes, and its process with it.
        let process = try #require(spool.session("talk")?["process"]?.string)
        unlink(spool.path("config/sessions/talk.json"))
        #expect(spool.outcome(process) == "cancelled")
        #expect(daemon.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    /// Two ends of one job with as many attempts are two reasons, of which the newer is told.
    @Test func theLastEndOfAJobIsTold() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss", #", "coordinates": {"queues": ["work"]}, "wake_on": ["failed"]"#)
        let daemon = TestDaemon(spool)
        spool.drop("busy", #"{"session": "boss", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin busy"))
        spool.drop("job", #"{"run": ["false"], "queue": "work", "expires_in": "1h"}"#)
        #expect(spool.outcome("job") == "failed")
        spool.configure("queues/work", #"{"slots": 0}"#)
        #expect(spool.wait { spool.events().contains { $0["event"]?.string == "config_applied" && $0["file"]?.string == "queues/work.json" } })
        spool.drop("retry", #"{"retry": "job"}"#)
        #expect(spool.reaches("queued", "job"))
        spool.drop("cancel", #"{"cancel": "job"}"#)
        #expect(spool.outcome("cancel") == "succeeded")
        gate.open()
        let wake = try #require(spool.wakes(of: "boss").first)
        // It failed, was to run again, and was taken back: that it failed is not so any more.
        #expect(spool.outcome(wake) == "stale")
        #expect(daemon.stop() == 0)
    }

    /// What is taken away by hand is there again for the next prompt, and holds up nobody.
    @Test func aSessionWhoseDirectoryIsTakenAwayGoesOn() {
        let spool = TestSpool()
        _ = ScriptAgent(spool)
        spool.defineSession("talk")
        let daemon = TestDaemon(spool)
        spool.drop("one", #"{"session": "talk", "prompt": "x"}"#)
        #expect(spool.outcome("one") == "succeeded")
        Programs.run(["rm", "-rf", spool.path("sessions/talk")])
        spool.drop("two", #"{"session": "talk", "prompt": "x"}"#)
        spool.drop("later", #"{"run": ["true"], "delay": "10ms"}"#)
        #expect(spool.outcome("two") == "succeeded")
        #expect(spool.outcome("later") == "succeeded")
        #expect(spool.json("sessions/talk/session.json")?["agent"]?.string == "script")
        #expect(daemon.stop() == 0)
    }

    /// The daemon died after the verb was carried out, and before it could say so.
    @Test(arguments: [("unlock", "lock"), ("resume", "pause")]) func aVerbThatIsCarriedOutAgainChangesNothing(verb: String, before: String) throws {
        let spool = TestSpool()
        _ = ScriptAgent(spool)
        spool.defineSession("talk")
        let first = TestDaemon(spool)
        spool.drop("first", #"{"\#(before)": "talk"}"#)
        #expect(spool.outcome("first") == "succeeded")
        spool.drop("second", #"{"\#(verb)": "talk"}"#)
        #expect(spool.outcome("second") == "succeeded")
        first.kill9()
        unlink(spool.path("done/second/result.json"))
        #expect(spool.move("done/second", to: "queued/second"))
        let second = TestDaemon(spool)
        #expect(spool.outcome("second") == "succeeded")
        #expect(second.stop() == 0)
    }
}
