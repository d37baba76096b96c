import Glibc
import SpoolFormat
import TestSupport
import Testing

/// An agent whose process stays between turns, its keeper, and turns that end in every way.
@Suite struct KeptAgentTests {
    private static func lab(_ options: String = "", _ more: String = "") throws -> Lab { try Lab(ACPDriverTests.agent(options, more)) }

    @Test("One process hears every turn, in one session, and is given to one turn at a time")
    func stays() throws {
        let lab = try Self.lab()
        try lab.keep()
        let first = try lab.run("say one")
        let second = try lab.run("recall")
        #expect(first.text == "one" && second.text == "say one" && second.agentSession == first.agentSession)
        #expect(lab.sessionFile("acp.json")?["session_id"]?.string == first.agentSession)

        mkfifo("\(lab.home)/gate", 0o600)
        let busy = try lab.start("say begun\nwait \(lab.home)/gate")
        #expect(lab.wait { lab.events("update").contains { $0["update"]?["content"]?["text"]?.string == "begun" } })
        let next = try lab.start("say next")
        #expect(lab.wait { Self.waitsAtSocket(next.process.pid) })
        let gate = open("\(lab.home)/gate", O_WRONLY)
        #expect(lab.events("prompt").count == 3)
        close(gate)
        #expect(busy.reply()?["text"]?.string == "begun" && next.reply()?["text"]?.string == "next")
        #expect(lab.events().compactMap { $0["event"]?.string }.filter { $0 != "update" } == Array(repeating: ["prompt", "reply"], count: 4).flatMap { $0 })
    }

    /// It has a socket and sleeps: it is in line for the agent.
    private static func waitsAtSocket(_ pid: Int32) -> Bool {
        let hasSocket = (0..<64).contains { number in
            var target = [CChar](repeating: 0, count: 64)
            return readlink("/proc/\(pid)/fd/\(number)", &target, 63) > 7 && strncmp(target, "socket:", 7) == 0
        }
        return hasSocket && Lab.state(of: pid) == "S"
    }

    @Test("The keeper ends with the agent's exit code, takes its socket away, and takes the place of a socket that nobody listens at")
    func keeper() throws {
        let lab = try Self.lab()
        let keeper = try lab.keep()
        #expect(try lab.run("half").error?.code == "agent_died")
        #expect(keeper.end() == 3 && !lab.spool.exists("sessions/main/agent.sock"))
        #expect(lab.spool.text("running/keep-1/log")?.contains("the agent is up") == true)
        // Killed, it leaves its socket.
        let killed = try lab.keep()
        #expect(try lab.run("say x").text == "x")
        killed.send(SIGKILL)
        killed.end()
        #expect(lab.spool.exists("sessions/main/agent.sock"))
        let third = try lab.keep()
        #expect(try lab.run("say y").text == "y")
        // A second one has no place.
        #expect(try lab.keep().end() == 1)
        third.send(SIGTERM)
        #expect(third.end() == 0)
    }

    @Test("An agent that can't be started leaves no socket to wait at")
    func unstartable() throws {
        let lab = try Lab(#"{"driver": "acp", "command": ["/rouse-no-such-agent"]}"#)
        #expect(try lab.keep().end() == 1)
        #expect(!lab.spool.exists("sessions/main/agent.sock"))
    }

    @Test("A turn does not wait for an agent that has ended: it says how, with the agent's last words", arguments: [
        (#"["/bin/sh", "-c", "echo no key >&2; exit 1"]"#, "agent_died", "exit code 1: no key", true),
        (#"["/rouse-no-such-agent"]"#, "unstartable", "cannot start /rouse-no-such-agent", false),
    ])
    func endsAtOnce(command: String, code: String, words: String, isRetryable: Bool) throws {
        // It could wait for a day.
        let lab = try Lab(#"{"driver": "acp", "command": \#(command), "ready": {"timeout": "1d"}}"#)
        let keeper = try lab.keep()
        let reply = try lab.run("say x")
        #expect(reply.stopReason == "error" && reply.error?.code == code && reply.error?.retryable == isRetryable, "\(reply)")
        #expect(reply.error?.message.contains(words) == true, "\(reply)")
        #expect(keeper.end() == 1 && lab.events("prompt").isEmpty)
        // The same for one that comes when all is over.
        #expect(try lab.run("say x").error?.message.contains(words) == true)
    }

    @Test("What an agent said before it died in a turn is told")
    func lastWords() throws {
        let lab = try Self.lab()
        let keeper = try lab.keep()
        let reply = try lab.run("complain the sky falls\nhalf")
        #expect(reply.stopReason == "failed" && reply.error?.code == "agent_died", "\(reply)")
        #expect(reply.error?.message.contains("the agent ended in the middle of the turn; the agent ended with exit code 3: the agent is up\nthe sky falls") == true, "\(reply)")
        #expect(keeper.end() == 3)
    }

    @Test("The agent does not have what tells of the keeper's job; the keeper has, by which it is found")
    func environment() throws {
        let lab = try Self.lab()
        let keeper = try lab.keep()
        #expect(try lab.run("env ROUSE_JOB_ID\nenv ROUSE_JOB_DIR\nenv ROUSE_SESSION").text == "none\nnone\nmain")
        let own = String(decoding: try #require(try Directory("/proc/\(keeper.pid)").read("environ")).bytes, as: UTF8.self)
        #expect(own.split(separator: "\0").contains("ROUSE_JOB_DIR=\(lab.spool.path)/running/keep-1"))
    }

    @Test("Told to end, the keeper closes the agent's input, and the agent ends by itself")
    func stop() throws {
        let lab = try Self.lab()
        try lab.keep()
        _ = try lab.run("say x")
        #expect(lab.stopKeeper() == 0)
    }

    @Test("A keeper ends also an agent that hears nothing")
    func stopDeaf() throws {
        let lab = try Self.lab("--deaf")
        try lab.keep()
        _ = try lab.run("say x")
        #expect(lab.stopKeeper() == 128 + Int(SIGKILL))
    }

    @Test("Without a keeper a turn waits as long as an agent may take to be ready, and then says whom to ask")
    func noKeeper() throws {
        let lab = try Self.lab("", #""ready": {"timeout": "1s"}"#)
        let reply = try lab.run("say x")
        #expect(reply.error?.code == "agent_not_ready" && reply.stopReason == "error" && reply.error?.retryable == true)
        #expect(reply.error?.message.contains("process:main") == true)
    }

    @Test("A spool's path may be longer than a socket's address")
    func longPath() throws {
        let parent = TestSpool()
        var path = parent.path
        while path.utf8.count < 400 {
            path += "/" + String(repeating: "d", count: 60)
            mkdir(path, 0o700)
        }
        let lab = try Lab(ACPDriverTests.agent(), in: path)
        try lab.keep()
        #expect(try lab.run("say x").text == "x")
        #expect(lab.spool.exists("sessions/main/agent.sock"))
        lab.stopKeeper()
        withExtendedLifetime(parent) {}
    }

    // MARK: permission

    @Test("A permission is waited for, and answered by a kind, a name or an id; an answer that is none keeps waiting")
    func permission() throws {
        let lab = try Self.lab()
        try lab.keep()
        let turn = try lab.start("permission edit")
        #expect(lab.wait { lab.sessionFile("waiting.json") != nil && lab.sessionFile("turn.json")?["state"]?.string == "waiting" })
        let waiting = try #require(lab.sessionFile("waiting.json").flatMap { WaitingRecord($0) })
        #expect(waiting.kind == .permission && waiting.message == "Remove everything" && waiting.job == turn.id)
        #expect(waiting.options.map(\.kind) == ["reject_always", "reject_once", "allow_always", "allow_once"])
        turn.answer("perhaps")
        #expect(lab.wait { !lab.events("answer_unknown").isEmpty })
        #expect(lab.sessionFile("waiting.json") != nil)
        turn.answer("allow")
        #expect(turn.reply()?["text"]?.string == "chosen: 1")
        #expect(lab.sessionFile("waiting.json") == nil)
        #expect(lab.events("permission").first?["by"]?.string == "answer")
    }

    @Test("An answer to the request before is not taken for the answer to this one")
    func answerToAnother() throws {
        let lab = try Self.lab()
        try lab.keep()
        let turn = try lab.start("permission edit\npermission edit")
        #expect(lab.wait { lab.sessionFile("waiting.json")?["request"]?.int == 1 })
        turn.answer("reject", to: 1)
        #expect(lab.wait { lab.sessionFile("waiting.json")?["request"]?.int == 2 })
        turn.answer("allow", to: 1)
        #expect(lab.wait { !lab.events("answer_late").isEmpty })
        turn.answer("a", to: 2)
        #expect(turn.reply()?["text"]?.string == "chosen: no-thanks\n\nchosen: a")
    }

    @Test("A policy that fits no option asks nobody: the answer is no, or none", arguments: [("allow_always", "nothing"), ("reject_once", "no-thanks")])
    func policyWithoutOption(offered: String, chosen: String) throws {
        let lab = try Self.lab("", #""permissions": "allow_once""#)
        try lab.keep()
        let reply = try lab.run("permission-other \(offered)")
        #expect(reply.text == "chosen: \(chosen)" && reply.warnings == ["no option fits the policy allow_once: Remove everything"])
        #expect(lab.events("permission_refused").count == 1 && lab.events("waiting").isEmpty)
    }

    @Test("An interrupt answers a permission request that waits, so that the turn ends; the next prompt is heard")
    func interruptedPermission() throws {
        let lab = try Self.lab()
        try lab.keep()
        let turn = try lab.start("permission edit")
        #expect(lab.wait { lab.sessionFile("waiting.json") != nil })
        turn.interrupt()
        #expect(turn.reply()?["stop_reason"]?.string == "cancelled")
        #expect(lab.sessionFile("waiting.json") == nil)
        #expect(try lab.run("say next").text == "next")
    }

    @Test("A permission request that comes after the turn's end is answered, and nobody waits for it")
    func latePermission() throws {
        let lab = try Self.lab()
        try lab.keep()
        #expect(try lab.run("say x\npermission-later").stopReason == "end_turn")
        #expect(lab.sessionFile("waiting.json") == nil)
        #expect(try lab.run("late").text == #"late: {"outcome": {"outcome": "cancelled"}}"#)
    }

    // MARK: interrupts

    @Test("An interrupted turn is cancelled, whatever the agent says its end was", arguments: ["hang", "end-though-cancelled"])
    func interrupt(how: String) throws {
        let lab = try Self.lab()
        try lab.keep()
        let turn = try lab.start(how)
        #expect(lab.wait { !lab.events("update").isEmpty })
        turn.interrupt()
        let reply = try #require(turn.reply().flatMap(ReplyRecord.init))
        #expect(reply.stopReason == "cancelled" && reply.error?.code == "interrupted" && reply.text == "thinking about the cancel")
        #expect(try lab.run("recall").text == how)
    }

    @Test("An agent that ignores a cancel is ended when its time is up, and the next one begins from nothing")
    func ignoredCancel() throws {

        let quick = try Lab(ACPDriverTests.agent("--deaf").replacing("\"20s\"", with: "\"1s\""))
        let keeper = try quick.keep()
        let turn = try quick.start("ignore-cancel")
        #expect(quick.wait { !quick.events("update").isEmpty })
        turn.interrupt()
        let reply = try #require(turn.reply().flatMap(ReplyRecord.init))
        #expect(reply.stopReason == "cancelled" && reply.error?.code == "cancel_ignored")
        #expect(keeper.end() == 128 + Int(SIGKILL))
        try quick.keep()
        let next = try quick.run("say here", agentSession: reply.agentSession, summary: "what was")
        #expect(next.text.contains("here") && next.isAnew && next.agentSession != reply.agentSession)
    }

    @Test("A turn that was killed in mid-prompt leaves an agent that the next turn brings to rest first")
    func resynchronise() throws {
        let lab = try Self.lab()
        try lab.keep()
        let turn = try lab.start("hang")
        #expect(lab.wait { !lab.events("update").isEmpty })
        turn.process.send(SIGKILL)
        turn.process.end()
        #expect(lab.sessionFile("acp.json")?["outstanding"]?.int != nil)
        let next = try lab.run("recall")
        #expect(next.text == "hang" && next.error == nil)
        #expect(lab.events("resynchronised").count == 1)
        #expect(lab.sessionFile("acp.json")?["outstanding"] == nil)
    }

    @Test("The same where the agent waits for permission")
    func resynchronisePermission() throws {
        let lab = try Self.lab()
        try lab.keep()
        let turn = try lab.start("permission edit")
        #expect(lab.wait { lab.sessionFile("waiting.json") != nil })
        turn.process.send(SIGKILL)
        turn.process.end()
        let next = try lab.run("say x")
        #expect(next.text == "x" && next.error == nil, "\(next)")
    }

    @Test("An agent that can't be brought to rest is ended; the turn may be tried again, as its prompt was not said")
    func busy() throws {
        let lab = try Lab(ACPDriverTests.agent("--deaf").replacing("\"20s\"", with: "\"1s\""))
        let keeper = try lab.keep()
        let turn = try lab.start("ignore-cancel")
        #expect(lab.wait { !lab.events("update").isEmpty })
        turn.process.send(SIGKILL)
        turn.process.end()
        let next = try lab.run("say x")
        #expect(next.error?.code == "agent_busy" && next.error?.retryable == true && next.stopReason == "error")
        #expect(keeper.end() == 128 + Int(SIGKILL))
        #expect(lab.events("prompt").count == 1)
    }

    @Test("Whoever ends the turn's process has the prompt cancelled, and the agent lives on")
    func terminated() throws {
        let lab = try Self.lab()
        try lab.keep()
        let turn = try lab.start("hang")
        #expect(lab.wait { !lab.events("update").isEmpty })
        turn.process.send(SIGTERM)
        #expect(turn.reply()?["stop_reason"]?.string == "cancelled")
        #expect(try lab.run("recall").text == "hang")
    }

    // MARK: a new process

    @Test("A conversation goes on in a new process, where the agent can take it up; what it tells again is not said twice", arguments: ["--load real", "--load real --resume"])
    func load(options: String) throws {
        let lab = try Self.lab(options)
        try lab.keep()
        let first = try lab.run("say one")
        lab.stopKeeper()
        try lab.keep()
        let second = try lab.run("recall", agentSession: first.agentSession)
        #expect(second.text == "say one" && second.agentSession == first.agentSession && !second.isAnew)
        #expect(lab.events("session_loaded").first?["replayed"]?.int == (options.contains("resume") ? 0 : 2))
        #expect(lab.events("update").count == 2)
    }

    @Test("A conversation that can't be taken up begins anew with the summary", arguments: ["", "--load refuse", "--load empty"])
    func lost(options: String) throws {
        let lab = try Self.lab(options)
        try lab.keep()
        let reply = try lab.run("recall\nsay x", agentSession: "session-gone", summary: "We spoke of the weather.")
        #expect(reply.isAnew && reply.error == nil && reply.text == "nothingx")
        let said = try #require(reply.agentSession.flatMap { lab.spool.json("home/\($0)")?.array?.first?.string })
        #expect(said.contains("We spoke of the weather.") && said.hasSuffix("recall\nsay x"))
        #expect(lab.events("prompt").count == 1 && lab.events("session_lost").count == 1)
    }

    @Test("A prompt at which something was done is never said again, also where the agent's session was only loaded")
    func worked() throws {
        let lab = try Self.lab("--load real")
        try lab.keep()
        let first = try lab.run("say one")
        lab.stopKeeper()
        try lab.keep()
        let second = try lab.run("say a part\nerror -32603 no", agentSession: first.agentSession)
        #expect(second.stopReason == "failed" && second.error?.code == "agent_failed" && second.text == "a part" && !second.isAnew)
        #expect(second.agentSession == first.agentSession && lab.events("session_lost").isEmpty)
        #expect(try lab.run("recall").text == "say one | say a part\nerror -32603 no")
    }

    @Test("A loaded conversation in which nothing happens is lost the second time, and not the first")
    func hollow() throws {
        let lab = try Self.lab("--load hollow")
        try lab.keep()
        let first = try lab.run("say x", agentSession: "session-gone")
        #expect(first.error?.code == "empty_reply" && first.error?.retryable == true && first.stopReason == "failed" && !first.isAnew)
        let second = try lab.run("say x", agentSession: "session-gone")
        #expect(second.text == "x" && second.isAnew && second.error == nil)
    }

    @Test("Or the turn fails, where that is configured; where the prompt was said, it does not say that it was not")
    func lostAfterThePrompt() throws {
        let lab = try Self.lab("--load empty")
        try lab.keep()
        let reply = try lab.run("say x", agentSession: "session-gone", lost: .fail)
        #expect(reply.error?.code == "agent_session_lost" && reply.stopReason == "failed" && reply.error?.retryable == false)
    }

    @Test("Or the turn fails, where that is configured")
    func lostFails() throws {
        let lab = try Self.lab("--load refuse")
        try lab.keep()
        let reply = try lab.run("say x", agentSession: "session-gone", lost: .fail)
        #expect(reply.error?.code == "agent_session_lost" && reply.stopReason == "error" && reply.error?.retryable == false)
    }
}
