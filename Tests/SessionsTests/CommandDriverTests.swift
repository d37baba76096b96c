import Glibc
import SpoolFormat
import TestSupport
import Testing

/// Real processes of `rouse-agent turn`, and agents that behave as the real ones do.
@Suite struct CommandDriverTests {
    static let claude = """
        {"driver": "command",
         "command": ["$FIXTURES/claude.py", "--print", "--output-format", "json", "--session-id", "{new_session}", "--", "{prompt}"],
         "resume": ["$FIXTURES/claude.py", "--print", "--output-format", "json", "--resume", "{session}", "--", "{prompt}"],
         "cancel_timeout": "20s", "grace": "2s",
         "output": {"format": "json", "session": "session_id", "text": "result", "usage": "usage", "cost": "total_cost_usd",
                    "error": [{"where": {"is_error": true}, "take": "result"}, {"where": {"is_error": true}, "take": "subtype"}],
                    "status": "api_error_status", "success": {"where": {"type": "result", "is_error": false}},
                    "cumulative": ["cost"], "lost_session_pattern": "No conversation found"}}
        """

    static let codex = """
        {"driver": "command",
         "command": ["$FIXTURES/codex.py", "exec", "--json", "--skip-git-repo-check", "{prompt}"],
         "resume": ["$FIXTURES/codex.py", "exec", "resume", "--json", "{session}", "{prompt}"],
         "grace": "1s",
         "output": {"format": "json_lines",
                    "session": {"where": {"type": "thread.started"}, "take": "thread_id"},
                    "text": {"where": {"type": "item.completed", "item.type": "agent_message"}, "take": "item.text"},
                    "usage": {"where": {"type": "turn.completed"}, "take": "usage"},
                    "error": {"where": {"type": "turn.failed"}, "take": "error.message"},
                    "success": {"where": {"type": "turn.completed"}},
                    "end": [{"where": {"type": "turn.completed"}}, {"where": {"type": "turn.failed"}}],
                    "cumulative": ["usage"], "lost_session_pattern": "no rollout found"}}
        """

    /// An agent that is a line of shell. `$1` is the prompt.
    static func shell(_ script: String, _ more: String = "") -> String {
        let script = JSONWriter.text(.string(script))
        return #"{"driver": "command", "command": ["/bin/sh", "-c", \#(script), "sh", "{prompt}"]\#(more.isEmpty ? "" : ", " + more)}"#
    }

    @Test("A conversation goes on by the agent's own session id, and each turn's usage is told as the agent counts it")
    func resume() throws {
        let lab = try Lab(Self.claude)
        let first = try lab.run("say hello; $(touch x) \"'\n  two lines")
        #expect(first.text == "say hello; $(touch x) \"'\n  two lines")
        #expect(first.stopReason == "end_turn" && first.error == nil)
        let id = try #require(first.agentSession)
        let second = try lab.run("recall", agentSession: id)
        #expect(second.text == "say hello; $(touch x) \"'\n  two lines")
        #expect(second.agentSession == id && !second.isAnew)
        #expect(second.usage == Usage(inputTokens: 10, outputTokens: 3, costUSD: 1))
        #expect(second.isCostCumulative && !second.isUsageCumulative)
        #expect(lab.events().compactMap { $0["event"]?.string } == ["prompt", "update", "reply", "prompt", "update", "reply"])
        #expect(lab.sessionFile("turn.json")?["state"]?.string == "idle")
    }

    @Test("A model's error is no success, though the agent calls it one; it is told what kind it is", arguments: [
        (429, "rate_limited", true), (529, "overloaded", true), (500, "model_failed", true), (400, "agent_failed", false), (401, "authentication_required", false),
    ])
    func status(status: Int, code: String, isRetryable: Bool) throws {
        let reply = try Lab(Self.claude).run("status \(status)")
        #expect(reply.stopReason == "failed")
        #expect(reply.error?.code == code && reply.error?.retryable == isRetryable)
        #expect(reply.error?.message == "API Error: \(status) of the model")
        #expect(reply.agentSession != nil)
    }

    @Test("A limit, an end without output and an end by a signal are failures that say so")
    func failures() throws {
        let lab = try Lab(Self.claude)
        #expect(try lab.run("limit").error?.message == "error_max_turns")
        let nothing = try lab.run("nothing")
        #expect(nothing.error?.code == "empty_reply" && nothing.stopReason == "failed" && nothing.agentSession == nil)
        #expect(try lab.run("crash").error?.code == "agent_died")
    }

    @Test("A conversation that the agent has lost begins anew with the summary, or fails, as is configured")
    func lostSession() throws {
        let lab = try Lab(Self.claude)
        let anew = try lab.run("recall", agentSession: "gone", summary: "We spoke of the weather.")
        #expect(anew.isAnew && anew.error == nil && anew.text == "nothing")
        let id = try #require(anew.agentSession)
        #expect(id != "gone")
        let prompts = try #require(lab.spool.json("home/\(id).json")?["prompts"]?.array)
        let said = try #require(prompts.first?.string)
        #expect(said.contains("We spoke of the weather.") && said.hasSuffix("recall"))
        #expect(lab.events("prompt").count == 1 && lab.events("session_lost").count == 1)

        let fails = try lab.run("recall", agentSession: "gone", lost: .fail)
        #expect(fails.error?.code == "agent_session_lost" && fails.error?.retryable == false && fails.stopReason == "error")
    }

    @Test("An interrupt ends the agent and what it has started, and is never taken for success")
    func interrupt() throws {
        let lab = try Lab(Self.claude)
        let turn = try lab.start("hang")
        #expect(lab.wait { lab.spool.text("home/hanging") != nil })
        #expect(lab.sessionFile("turn.json")?["state"]?.string == "working")
        turn.interrupt()
        let reply = try #require(turn.reply().flatMap(ReplyRecord.init))
        #expect(reply.stopReason == "cancelled" && reply.error?.code == "interrupted")
        for pid in lab.spool.text("home/hanging")!.split(separator: " ") { #expect(!Lab.isAlive(Int32(pid)!)) }
    }

    @Test("An interrupt that comes in the instant of the agent's own end takes nothing from what it has finished")
    func lateInterrupt() throws {
        let lab = try Lab(Self.shell("echo $$ > \"$FAKE_HOME/pid\"; read line < \"$FAKE_HOME/gate\"; echo done"))
        mkfifo("\(lab.home)/gate", 0o600)
        let turn = try lab.start("x")
        #expect(lab.wait { lab.spool.text("home/pid")?.hasSuffix("\n") ?? false })
        let agent = Int32(lab.spool.text("home/pid")!.dropLast())!
        // What happens while it is stopped is news of one instant.
        turn.process.send(SIGSTOP)
        #expect(lab.wait { Lab.state(of: turn.process.pid) == "T" })
        lab.spool.write("\n", to: "\(lab.home)/gate")
        #expect(lab.wait { Lab.state(of: agent) == "Z" })
        turn.interrupt()
        turn.process.send(SIGCONT)
        let reply = try #require(turn.reply().flatMap(ReplyRecord.init))
        #expect(reply.stopReason == "end_turn" && reply.text == "done" && reply.error == nil)
    }

    @Test("An agent that does not hear an interrupt is ended when its time is up")
    func deaf() throws {
        let lab = try Lab(Self.shell("trap '' INT TERM; echo $$ > \"$FAKE_HOME/pid\"; while :; do sleep 1000; done", #""cancel_timeout": "1s""#))
        let turn = try lab.start("x")
        #expect(lab.wait { lab.spool.text("home/pid")?.hasSuffix("\n") ?? false })
        turn.interrupt()
        #expect(turn.reply()?["stop_reason"]?.string == "cancelled")
        #expect(!Lab.isAlive(Int32(lab.spool.text("home/pid")!.dropLast())!))
    }

    @Test("JSON lines among noise; a good run may hold errors; the last answer counts; its input is closed")
    func lines() throws {
        let lab = try Lab(Self.codex)
        let first = try lab.run("go")
        #expect(first.text == "turn 1" && first.error == nil)
        let second = try lab.run("go", agentSession: first.agentSession)
        #expect(second.text == "turn 2" && second.agentSession == first.agentSession)
        #expect(second.usage == Usage(inputTokens: 200, outputTokens: 20) && second.isUsageCumulative)
        #expect(lab.events("update").compactMap { $0["update"]?["type"]?.string }.prefix(2) == ["thread.started", "turn.started"])
        let failed = try lab.run("fail stream disconnected before completion", agentSession: first.agentSession)
        #expect(failed.error?.code == "network" && failed.error?.retryable == true)
        #expect(try lab.run("go", agentSession: "unknown").isAnew)
    }

    @Test("The turn is over when the agent says so, also where its process stays")
    func linger() throws {
        let reply = try Lab(Self.codex).run("linger on")
        #expect(reply.text == "on" && reply.error == nil)
    }

    @Test("The prompt goes by standard input, by a file that only its owner reads, or in an argument")
    func ways() throws {
        let text = "-n it's \"$HOME\"\n`x`; ünï\\"
        for (way, command) in [("stdin", #"["cat"]"#), ("argument", #"["printf", "%s", "{prompt}"]"#), ("file", #"["cat", "{prompt_file}"]"#)] {
            let lab = try Lab(#"{"driver": "command", "command": \#(command), "prompt": "\#(way)"}"#)
            #expect(try lab.run(text).text == text, "\(way)")
            let file = lab.spool.exists("running/turn-1/prompt.txt")
            #expect(file == (way == "file"))
            if file { #expect(Programs.run(["stat", "-c", "%a", "\(lab.spool.path)/running/turn-1/prompt.txt"]).output == "600\n") }
        }
    }

    @Test("Without a prompt on it, standard input is at its end")
    func input() throws {
        #expect(try Lab(Self.shell("cat; echo done")).run("x").text == "done")
    }

    @Test("A prompt that no argument can hold is refused, and it is said what to do")
    func tooLong() throws {
        let reply = try Lab(Self.shell("echo no")).run(String(repeating: "x", count: 140_000))
        #expect(reply.error?.code == "prompt_too_long" && reply.stopReason == "error")
        #expect(reply.error?.message.contains("\"stdin\" or \"file\"") == true)
    }

    @Test("What is written goes to the log as it came, and each line of text is an event")
    func log() throws {
        let lab = try Lab(Self.shell("echo one; printf 'two\\n\\377'; echo problem >&2"))
        let reply = try lab.run("x")
        #expect(reply.text == "one\ntwo\n\u{FFFD}")
        let log = lab.spool.text("running/turn-1/log") ?? ""
        #expect(log.contains("one\ntwo\n") && log.contains("problem\n"))
        #expect(lab.events("output").compactMap { $0["text"]?.string } == ["one", "two", "\u{FFFD}"])
    }

    @Test("An exit code is a failure with the agent's last words; the configuration says which may be tried again")
    func exitCode() throws {
        let agent = Self.shell("echo lost >&2; exit $1", #""retryable_exit_codes": [75]"#)
        let once = try Lab(agent).run("3")
        #expect(once.error == ErrorRecord("agent_failed", "the agent exited with code 3: lost"))
        #expect(try Lab(agent).run("75").error?.retryable == true)
    }

    @Test("A session's id is found in stderr by a pattern")
    func sessionPattern() throws {
        let lab = try Lab(Self.shell("echo 'To resume: -r abc-1' >&2; echo hi", #""output": {"session_pattern": "-r ([a-z0-9-]+)"}"#))
        #expect(try lab.run("x").agentSession == "abc-1")
    }

    @Test("The answer is not searched for a session's id, nor for words that tell of a lost one", arguments: [
        (#""format": "text""#, "echo 'use -r evil; session lost'"), (#""format": "json", "text": "a""#, #"printf '{\n"a":\n"use -r evil; session lost"\n}'"#),
    ])
    func answerIsNotSearched(format: String, answer: String) throws {
        let rules = #""output": {\#(format), "session_pattern": "-r ([a-z0-9-]+)", "lost_session_pattern": "session lost"}"#
        let resume = JSONWriter.text(["/bin/sh", "-c", .string(answer + "; exit 3")])
        let lab = try Lab(Self.shell(answer, rules + #", "resume": \#(resume)"#))
        let reply = try lab.run("x")
        #expect(reply.text.contains("use -r evil") && reply.error == nil && reply.agentSession == nil)
        let failed = try lab.run("x", agentSession: "good")
        #expect(failed.error?.code == "agent_failed" && failed.agentSession == "good" && !failed.isAnew)
    }

    @Test("What stands on stderr counts more than noise on stdout, and what a rule finds more than both")
    func sessionOrder() throws {
        let rules = #""output": {"format": "json", "text": "a", "session": "id", "session_pattern": "-r ([a-z0-9-]+)"}"#
        #expect(try Lab(Self.shell(#"echo 'noise -r out'; echo '-r err' >&2; echo '{"a": "x"}'"#, rules)).run("x").agentSession == "err")
        #expect(try Lab(Self.shell(#"echo 'noise -r out'; echo '{"a": "x"}'"#, rules)).run("x").agentSession == "out")
        #expect(try Lab(Self.shell(#"echo '-r err' >&2; echo '{"a": "x", "id": "rule"}'"#, rules)).run("x").agentSession == "rule")
    }

    @Test("A session in which the agent has worked is not lost, whatever it says then", arguments: [
        #"{"type": "work"}"#, #"{"text": "a"}"#, #"{"usage": {"output_tokens": 1}, "error": "session lost"}"#,
    ])
    func workedThenLost(line: String) throws {
        let resume = JSONWriter.text(["/bin/sh", "-c", .string("echo '\(line)'; echo 'session lost' >&2; exit 1")])
        let rules = #""output": {"format": "json_lines", "text": "text", "usage": "usage", "error": "error", "lost_session_pattern": "session lost"}"#
        let lab = try Lab(Self.shell(#"echo '{"text": "anew"}'"#, rules + #", "resume": \#(resume)"#))
        let reply = try lab.run("x", agentSession: "good")
        #expect(reply.stopReason == "failed" && !reply.isAnew && lab.events("session_lost").isEmpty)
    }

    @Test("What went wrong is looked for on stdout also where stderr says something else")
    func bothTails() throws {
        let agent = Self.shell("echo '429 too much'; echo 'To resume: -r abc' >&2; exit 1", #""output": {"format": "json_lines", "text": "text"}"#)
        let error = try #require(try Lab(agent).run("x").error)
        #expect(error == ErrorRecord("rate_limited", "the agent exited with code 1: To resume: -r abc\n429 too much", retryable: true))
    }

    @Test("A conversation of another name than the one that was resumed is another one, and its usage counts from nothing")
    func otherSession() throws {
        let rules = #""output": {"format": "json", "text": "a", "session": "id"}"#
        let resume = JSONWriter.text(["/bin/sh", "-c", #"echo '{"a": "x", "id": "second"}'"#])
        let lab = try Lab(Self.shell(#"echo '{"a": "x", "id": "first"}'"#, rules + #", "resume": \#(resume)"#))
        #expect(try !lab.run("x").isAnew && lab.run("x", agentSession: "first").isAnew && !lab.run("x", agentSession: "second").isAnew)
        #expect(try Lab(Self.shell(#"echo '{"a": "x", "id": "first"}'"#, rules)).run("x", agentSession: "first").isAnew)
    }

    @Test("What comes from a cache and goes into one is input")
    func cache() throws {
        #expect(try Lab(Self.claude).run("say cached").usage?.inputTokens == 330)
    }

    @Test("An answer without end fills neither the memory nor the reply: its end is kept")
    func huge() throws {
        let reply = try Lab(Self.shell("head -c 8000000 /dev/zero | tr '\\\\0' x | fold -w 100000; echo; echo the end")).run("x")
        #expect(reply.text.utf8.count <= 1 << 20 && reply.text.hasSuffix("the end"))
        #expect(reply.warnings == ["the answer is longer than 1 MiB; its end is kept"])
    }

    @Test("What an agent leaves in the background does not hold up its turn")
    func background() throws {
        let lab = try Lab(Self.shell("sleep 1000 & echo $! > \"$FAKE_HOME/pid\"; echo hi"))
        #expect(try lab.run("x").text == "hi")
        // The runner would end it; here there is none.
        kill(try #require(lab.spool.text("home/pid").flatMap { Int32($0.dropLast()) }), SIGKILL)
    }

    @Test("A program that is not there, and a directory that is not there, are said")
    func unstartable() throws {
        let reply = try Lab(#"{"driver": "command", "command": ["rouse-no-such-agent", "{prompt}"]}"#).run("x")
        #expect(reply.error?.code == "unstartable" && reply.stopReason == "error")
        #expect(reply.error?.message == "cannot start rouse-no-such-agent: there is no such program in the PATH of the agent's environment; set PATH by the agent's \"env\" (config/agents/), or give the program's whole path")
    }

    @Test("Whoever ends the turn's process ends the agent; that is no success either")
    func terminated() throws {
        let lab = try Lab(Self.claude)
        let turn = try lab.start("hang")
        #expect(lab.wait { lab.spool.text("home/hanging") != nil })
        turn.process.send(SIGTERM)
        #expect(turn.reply()?["stop_reason"]?.string == "cancelled")
        for pid in lab.spool.text("home/hanging")!.split(separator: " ") { #expect(!Lab.isAlive(Int32(pid)!)) }
    }

    @Test("An agent that runs once has its events in its job")
    func once() throws {
        let lab = try Lab(Self.shell("echo hi"), session: nil)
        #expect(try lab.run("x").text == "hi")
        #expect(lab.events().compactMap { $0["event"]?.string } == ["prompt", "output", "reply"])
    }
}
