import CLinux
import Glibc
import SpoolFormat
import TestSupport
import Testing

/// Agents in a terminal: real tmux, a real input line, and processes that die.
@Suite struct TmuxDriverTests {
    private static func agent(_ more: String = "", _ variables: [String: String] = [:], program: String? = nil) -> String {
        let words = ["env"] + variables.map { "\($0)=\($1)" } + ["python3", "$FIXTURES/terminal.py"]
        let program = program ?? JSONWriter.text(.array(words.map(JSON.string)))
        return """
        {"driver": "tmux", "command": \(program), "grace": "4s", "cancel_timeout": "20s", "interrupt_keys": ["C-c"],
         "ready": {"pattern": "(?m)^you>$", "quiet": "250ms", "timeout": "60s",
                   "dialogs": [{"pattern": "trust this folder\\\\? \\\\(y/n\\\\)$", "keys": ["y", "Enter"]}]}\(more)}
        """
    }

    private func terminal(of lab: Lab) -> String { lab.spool.text("running/keep-1/log") ?? "" }

    /// Processes, sockets and FIFOs that a spool has left.
    private func isClean(_ lab: Lab) -> Bool {
        lab.wait { Programs.processes(ofSpool: lab.spool.path).isEmpty } && !lab.spool.exists("sessions/main/tmux.sock")
    }

    // MARK: turns

    @Test func aTurnAndAnotherOne() throws {
        let lab = try Lab(Self.agent())
        try lab.keep()
        let first = try lab.run("hello;")
        #expect(first.stopReason == "end_turn" && first.error == nil)
        // The prompt as the terminal shows it is not the answer.
        #expect(first.text.hasPrefix("heard 6 ") && first.text.hasSuffix("'hello;'"), "\(first.text)")
        let second = try lab.run("-l and \"$(x)\" 'y' \\; é漢😀;")
        #expect(second.text.contains("é漢😀;") && !second.text.contains("hello"), "\(second.text)")
        #expect(lab.events("prompt").count == 2 && lab.events("agent_started").count == 1)
        #expect(lab.sessionFile("turn.json")?["state"]?.string == "idle")
        #expect(lab.stopKeeper() != 0)
        #expect(isClean(lab))
    }

    @Test func dialogsOfTheStartAreAccepted() throws {
        let lab = try Lab(Self.agent("", ["DIALOG": "1"]))
        try lab.keep()
        #expect(try lab.run("hello").text.contains("heard 5 "))
        #expect(lab.events("dialog").count == 1)
        // Later, such words are an agent's.
        #expect(try lab.run("trust this folder? (y/n)").text.contains("heard 24 "))
        #expect(lab.events("dialog").count == 1)
    }

    @Test func anAgentThatIsNotReadyInTimeSaysWhatItShows() throws {
        let lab = try Lab(#"{"driver": "tmux", "command": ["/bin/sh", "-c", "echo not for you; read x"], "ready": {"pattern": "^never$", "quiet": "0s", "timeout": "1s"}}"#)
        try lab.keep()
        let reply = try lab.run("hello")
        #expect(reply.stopReason == "error" && reply.error?.code == "not_ready" && reply.error?.retryable == true)
        #expect(reply.error?.message.contains("not for you") == true)
        #expect(lab.events("prompt").isEmpty)
    }

    @Test(arguments: [
        "one\ntwo\n\n  three\n", "\u{1B}[201~; rm -rf x\u{1B}[31m\u{7}\u{9B}1m", "tab\tand\r\nreturn\r",
        String(repeating: "0123456789", count: 10_000), String(repeating: "line of a long prompt\n", count: 2000),
    ])
    func whatIsSaidArrivesWhole(prompt: String) throws {
        let lab = try Lab(Self.agent())
        try lab.keep()
        var heard = prompt.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        heard.unicodeScalars.removeAll { ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || (0x7F..<0xA0).contains($0.value) }
        while heard.hasSuffix("\n") { heard.removeLast() }
        let reply = try lab.run(prompt)
        let sum = Programs.run(["python3", "-c", "import hashlib,sys; print(hashlib.sha256(open(sys.argv[1],'rb').read()).hexdigest())", try file(heard, lab)])
        #expect(reply.text.contains("heard \(heard.unicodeScalars.count) \(sum.output.prefix(64))"), "\(reply.text.suffix(300))")
    }

    /// However much of it the terminal still has.
    @Test(arguments: [
        String(repeating: "0123456789", count: 100_000), String(repeating: "a line\n", count: 150_000),
        (0..<100_000).map { "number \($0)" }.joined(separator: " "), (0..<100_000).map { "number \($0)" }.joined(separator: "\n"),
    ])
    func aVeryLongPromptIsNotTheAnswer(prompt: String) throws {
        let lab = try Lab(Self.agent())
        try lab.keep()
        let text = try lab.run(prompt).text
        #expect(text.hasPrefix("heard ") && !text.contains("\n"), "\(text.count) characters: \(text.prefix(300)) … \(text.suffix(300))")
    }

    @Test func noAnswerIsNoSuccess() throws {
        let lab = try Lab(Self.agent())
        try lab.keep()
        let reply = try lab.run("nothing")
        #expect(reply.stopReason == "failed" && reply.error?.code == "empty_reply" && reply.text.isEmpty, "\(reply)")
        #expect(try lab.run("hello").text.contains("heard 5 "))
    }

    private func file(_ text: String, _ lab: Lab) throws -> String {
        lab.spool.write(text, to: lab.spool.path + "/expected")
        return lab.spool.path + "/expected"
    }

    @Test func aReplyThatScrollsIsWhole() throws {
        let lab = try Lab(Self.agent())
        try lab.keep()
        _ = try lab.run("before")
        let text = try lab.run("lines").text
        let numbers = text.split(separator: "\n").filter { $0.hasPrefix("line ") }
        #expect(numbers.count == 3000 && numbers.first == "line 0" && numbers.last == "line 2999")
        #expect(!text.contains("before"))
    }

    // MARK: what is said in a turn

    /// What was interrupted may stand in the input line again; it is neither taken for no prompt nor sent with the next.
    @Test(arguments: [[:], ["RESTORES": "1"]]) func anInterruptEndsTheTurnAndNotTheAgent(manner: [String: String]) throws {
        let lab = try Lab(Self.agent("", manner))
        try lab.keep()
        let turn = try lab.start("endless")
        #expect(lab.wait { terminal(of: lab).contains("this takes") })
        turn.interrupt()
        let reply = try #require(turn.reply())
        #expect(reply["stop_reason"]?.string == "cancelled" && reply["error"] == nil, "\(JSONWriter.text(reply))")
        #expect(try lab.run("again").text.contains("heard 5 "))
    }

    @Test func anAgentThatIgnoresAnInterruptIsReplaced() throws {
        let lab = try Lab(Self.agent().replacing("\"20s\"", with: "\"500ms\""))
        let keeper = try lab.keep()
        let turn = try lab.start("deaf")
        #expect(lab.wait { terminal(of: lab).contains("not listening") })
        turn.interrupt()
        let reply = try #require(turn.reply())
        #expect(reply["stop_reason"]?.string == "cancelled" && reply["error"]?["code"]?.string == "cancel_ignored")
        #expect(lab.wait { lab.sessionFile("pane.json")?["ended_at"] != nil })
        #expect(keeper.end() != 0)
        try lab.keep()
        #expect(try lab.run("again").text.contains("heard 5 "))
    }

    @Test func aQuestionOnTheScreenIsAnswered() throws {
        let lab = try Lab(Self.agent(#", "waiting": ["go on\\? \\[y/n\\]$"]"#))
        try lab.keep()
        let turn = try lab.start("ask")
        #expect(lab.wait { lab.sessionFile("turn.json")?["state"]?.string == "waiting" })
        #expect(lab.sessionFile("waiting.json")?["message"]?.string?.hasSuffix("Do you want to go on? [y/n]") == true)
        turn.answer("yes, please;")
        let reply = try #require(turn.reply())
        #expect(reply["text"]?.string?.contains("you chose yes, please;") == true, "\(JSONWriter.text(reply))")
        #expect(lab.sessionFile("waiting.json") == nil)
    }

    /// The screen looks ready all the time, and never at the end: only what the agent says counts.
    @Test func hooksSayWhatTheScreenDoesNot() throws {
        let lab = try Lab(Self.agent("", ["ROUSE": Programs.rouse]).replacing("(?m)^you>$", with: "you>$"))
        mkfifo(lab.gate, 0o600)
        try lab.keep()
        let turn = try lab.start("hooks")
        #expect(lab.wait { lab.sessionFile("waiting.json")?["message"]?.string == "May I?" })
        lab.spool.write("go", to: lab.gate)
        let reply = try #require(turn.reply())
        #expect(reply["stop_reason"]?.string == "end_turn" && reply["text"]?.string?.contains("thank you") == true)
    }

    /// An agent whose hooks say that it is at work is so until they say that it is not, whatever the screen is like.
    @Test func aScreenThatLooksReadyDoesNotEndATurnThatIsSaidToGoOn() throws {
        let lab = try Lab(Self.agent("", ["ROUSE": Programs.rouse]))
        mkfifo(lab.gate, 0o600)
        try lab.keep()
        let turn = try lab.start("looks ready")
        #expect(lab.wait { lab.sessionFile("turn.json")?["message"]?.string == "still at it" || lab.spool.exists("\(turn.job)/reply.json") })
        #expect(!lab.spool.exists("\(turn.job)/reply.json"))
        lab.spool.write("go", to: lab.gate)
        let reply = try #require(turn.reply())
        #expect(reply["text"]?.string?.contains("and only now done") == true, "\(JSONWriter.text(reply))")
    }

    // MARK: death

    @Test(arguments: [("crash", 7, "exit code 7"), ("killed", 137, "signal 9")])
    func aDeathInTheTurnIsToldWithItsStatus(_ how: String, _ code: Int, _ words: String) throws {
        let lab = try Lab(Self.agent())
        let keeper = try lab.keep()
        let reply = try lab.run(how)
        #expect(reply.error?.code == "agent_died" && reply.error?.retryable == true && reply.error?.message.contains(words) == true)
        // It is not one of those turns whose prompt was never sent.
        #expect(reply.stopReason == "exited")
        if how == "crash" { #expect(reply.text.contains("last words") && terminal(of: lab).contains("last words")) }
        #expect(keeper.end() == code)
        #expect(lab.events("agent_exited").count == 1 && isClean(lab))
    }

    @Test func anAgentThatEndsAtOnceIsTold() throws {
        let lab = try Lab(Self.agent(program: #"["/bin/sh", "-c", "echo no key; exit 3"]"#))
        #expect(try lab.keep().end() == 3)
        #expect(terminal(of: lab).contains("no key") && isClean(lab))
        #expect(lab.sessionFile("pane.json")?["exit_code"]?.int == 3)
    }

    @Test func anAgentThatCannotBeStartedIsTold() throws {
        let lab = try Lab(Self.agent(program: #"["no-such-agent"]"#))
        #expect(try lab.keep().end() == 127)
        #expect(terminal(of: lab).contains("cannot start no-such-agent") && isClean(lab))
    }

    @Test func theNextProcessIsANewOne() throws {
        let lab = try Lab(Self.agent())
        let dead = try lab.keep()
        _ = try lab.run("crash")
        dead.end()
        try lab.keep()
        #expect(try lab.run("hello").text.contains("heard 5 "))
    }

    /// Another process that was not resumed knows nothing of the turns before.
    @Test func aConversationThatIsLostIsToldOf() throws {
        let lab = try Lab(Self.agent())
        try lab.keep()
        let first = try lab.run("hello")
        let id = try #require(first.agentSession)
        #expect(try !first.isAnew && !lab.run("again", agentSession: id).isAnew)
        lab.stopKeeper()
        try lab.keep(agentSession: id)
        let refused = try lab.run("hello", agentSession: id, lost: .fail)
        #expect(refused.stopReason == "error" && refused.error?.code == "agent_session_lost" && lab.events("prompt").count == 2)
        let reply = try lab.run("hello", agentSession: id, summary: "we spoke")
        #expect(reply.isAnew && reply.agentSession != id && reply.text.contains("This goes on from an earlier"), "\(reply.text)")
    }

    @Test func aConversationIsResumed() throws {
        let command = #"["python3", "$FIXTURES/terminal.py", "begin", "{new_session}"]"#
        let lab = try Lab(Self.agent(#", "resume": ["python3", "$FIXTURES/terminal.py", "resume", "{session}"]"#, program: command))
        try lab.keep()
        let first = try lab.run("arguments")
        let id = try #require(first.agentSession)
        #expect(first.text == "begin \(id)")
        lab.stopKeeper()
        try lab.keep(agentSession: id)
        let reply = try lab.run("arguments", agentSession: id)
        #expect(reply.text == "resume \(id)" && reply.agentSession == id && !reply.isAnew)
    }

    private static func forgetful() -> String {
        let command = #"["python3", "$FIXTURES/terminal.py", "begin", "{new_session}"]"#
        let resume = #""resume": ["/bin/sh", "-c", "echo No conversation found with session ID: $0; exit 1", "{session}"]"#
        return Self.agent(#", \#(resume), "output": {"lost_session_pattern": "No conversation found"}"#, program: command)
    }

    /// An agent that was to be resumed says that it does not know the conversation, and ends.
    @Test func anAgentThatDoesNotKnowItsConversationBeginsAnew() throws {
        let lab = try Lab(Self.forgetful())
        let keeper = try lab.keep(agentSession: "gone")
        let reply = try lab.run("hello", agentSession: "gone", summary: "we spoke")
        #expect(reply.isAnew && reply.error == nil && reply.text.contains("This goes on from an earlier"), "\(reply)")
        let id = try #require(reply.agentSession)
        #expect(id != "gone" && lab.events("session_lost").count == 1 && lab.events("prompt").count == 1)
        // In the same process.
        #expect(try lab.run("arguments", agentSession: id).text == "begin \(id)")
        #expect(ProcessIdentity(pid: keeper.pid) != nil && lab.events("agent_started").count == 1)
    }

    @Test func orItIsToldThatTheConversationIsLost() throws {
        let lab = try Lab(Self.forgetful())
        let keeper = try lab.keep(agentSession: "gone", lost: .fail)
        let reply = try lab.run("hello", agentSession: "gone", lost: .fail)
        #expect(reply.stopReason == "error" && reply.error?.code == "agent_session_lost" && reply.error?.retryable == false, "\(reply)")
        #expect(reply.error?.message.contains("gone") == true && lab.events("prompt").isEmpty)
        #expect(keeper.end() == 1)
    }

    @Test(arguments: [(#"["/bin/sh", "-c", "echo no key; exit 3"]"#, "agent_died", "exit code 3: no key", true), (#"["no-such-agent"]"#, "unstartable", "cannot start no-such-agent", false)])
    func aTurnDoesNotWaitForAnAgentThatHasEnded(program: String, code: String, words: String, isRetryable: Bool) throws {
        let lab = try Lab(Self.agent(program: program).replacing("\"60s\"", with: "\"1d\""))
        let keeper = try lab.keep()
        let reply = try lab.run("hello")
        #expect(reply.stopReason == "error" && reply.error?.code == code && reply.error?.retryable == isRetryable, "\(reply)")
        #expect(reply.error?.message.contains(words) == true, "\(reply)")
        keeper.end()
        #expect(try lab.run("hello").error?.message.contains(words) == true)
    }

    /// A turn's process is killed in the middle of the turn, and the turn is tried again: the prompt is not said twice.
    @Test func aTurnIsTakenUpAgain() throws {
        let lab = try Lab(Self.agent())
        mkfifo(lab.gate, 0o600)
        let keeper = try lab.keep()
        let turn = try lab.start("slow")
        #expect(lab.wait { terminal(of: lab).contains("thinking") })
        turn.process.send(SIGKILL)
        turn.process.end()
        // It lies among the files of that attempt; what is killed after this one is known by its own.
        #expect(unlink("\(lab.spool.path)/\(turn.job)/said.json") == 0)
        let again = try lab.again(turn)
        #expect(lab.wait { lab.events("resumed").count == 1 })
        #expect(lab.spool.exists("\(turn.job)/said.json"))
        lab.spool.write("go", to: lab.gate)
        let reply = try #require(again.reply())
        #expect(reply["text"]?.string?.contains("done thinking") == true, "\(JSONWriter.text(reply))")
        #expect(lab.events("prompt").count == 1 && ProcessIdentity(pid: keeper.pid) != nil)
    }

    /// The turn's process dies before its reply is written: the turn is over, and is not begun again.
    @Test func aTurnWithoutAReplyIsNotSaidAgain() throws {
        let lab = try Lab(Self.agent())
        try lab.keep()
        // Where a directory is, the reply can't be.
        let turn = try lab.start("hello") { try Directory($0).makeDirectory("reply.json") }
        #expect(turn.process.end() == 1)
        rmdir("\(lab.spool.path)/\(turn.job)/reply.json")
        let reply = try #require(try lab.again(turn).reply())
        #expect(reply["text"]?.string?.contains("heard 5 ") == true && lab.events("resumed").count == 1, "\(JSONWriter.text(reply))")
        #expect(lab.events("prompt").count == 1)
    }

    /// A turn's process is killed, and is not tried again: what it has sent is not at work any more when the next is said.
    @Test func theTurnAfterAKilledOneIsNotTypedIntoABusyAgent() throws {
        let lab = try Lab(Self.agent("", ["RESTORES": "1"]))
        mkfifo(lab.gate, 0o600)
        try lab.keep()
        let turn = try lab.start("slow")
        #expect(lab.wait { terminal(of: lab).contains("thinking") })
        turn.process.send(SIGKILL)
        turn.process.end()
        let reply = try lab.run("hello")
        #expect(reply.text.contains("heard 5 ") && reply.error == nil, "\(reply)")
        #expect(lab.events("resynchronised").count == 1)
        // Once only.
        #expect(try lab.run("again").text.contains("heard 5 ") && lab.events("resynchronised").count == 1)
    }

    @Test func anAgentThatStaysBusyIsReplaced() throws {
        let lab = try Lab(Self.agent().replacing("\"20s\"", with: "\"500ms\""))
        let keeper = try lab.keep()
        let turn = try lab.start("deaf")
        #expect(lab.wait { terminal(of: lab).contains("not listening") })
        turn.process.send(SIGKILL)
        turn.process.end()
        let reply = try lab.run("hello")
        #expect(reply.stopReason == "error" && reply.error?.code == "agent_busy" && reply.error?.retryable == true)
        #expect(lab.events("prompt").count == 1)
        keeper.end()
        try lab.keep()
        #expect(try lab.run("hello").text.contains("heard 5 "))
    }

    // MARK: the end

    /// A shell takes no notice of SIGTERM, and another program of none but the last.
    @Test(arguments: [#"["/bin/bash", "--norc", "-i"]"#, #"["/bin/sh", "-c", "trap '' TERM HUP; echo up; while :; do read x; done"]"#])
    func nothingIsLeftAfterSIGTERM(program: String) throws {
        let lab = try Lab(Self.agent(program: program))
        try lab.keep()
        #expect(lab.wait { lab.sessionFile("pane.json") != nil && !terminal(of: lab).isEmpty })
        #expect(lab.stopKeeper() != 0)
        #expect(isClean(lab))
    }

    @Test func aKilledKeepersAgentIsReplaced() throws {
        let lab = try Lab(Self.agent())
        let keeper = try lab.keep()
        _ = try lab.run("hello")
        keeper.send(SIGKILL)
        keeper.end()
        try lab.keep()
        #expect(lab.wait { lab.events("agent_started").count == 2 })
        #expect(try lab.run("hello").text.contains("heard 5 "))
        #expect(Programs.processes(ofSpool: lab.spool.path).count { name(of: $0).contains("python") } == 1)
    }

    private func name(of pid: Int32) -> String {
        String(decoding: (try? Directory("/proc/\(pid)").read("comm")?.bytes) ?? [], as: UTF8.self)
    }

    @Test func aPathMayBeLongerThanASocketsAddress() throws {
        let parent = TestSpool()
        var path = parent.path
        while path.utf8.count < 400 {
            path += "/" + String(repeating: "d", count: 60)
            mkdir(path, 0o700)
        }
        let lab = try Lab(Self.agent(), in: path)
        try lab.keep()
        #expect(try lab.run("hello").text.contains("heard 5 "))
        #expect(lab.spool.exists("sessions/main/tmux.sock"))
        lab.stopKeeper()
        #expect(isClean(lab))
        withExtendedLifetime(parent) {}
    }

    /// A person attaches by `rouse attach`, types, and leaves; the agent goes on.
    @Test func aPersonCanAttach() throws {
        let lab = try Lab(Self.agent())
        lab.spool.write(#"{"agent": "fake"}"#, to: lab.spool.path + "/sessions/main/session.json")
        try lab.keep()
        _ = try lab.run("hello")
        let script = """
            import fcntl, os, pty, struct, subprocess, sys, termios
            pid, terminal = pty.fork()
            if pid == 0: os.execvp(sys.argv[1], [sys.argv[1], "attach", "main"])
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 10, 40, 0, 0))
            seen = b""
            while b"you>" not in seen: seen += os.read(terminal, 4096)
            os.write(terminal, b"by hand\\r")
            while b"heard 7" not in seen: seen += os.read(terminal, 4096)
            # Keys as close together as a program types them are a paste to tmux, and no command.
            subprocess.run(["tmux", "-S", "tmux.sock", "detach-client", "-s", "=main"], cwd=sys.argv[2], check=True)
            while True:
                try:
                    if not os.read(terminal, 4096): break
                except OSError: break
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """
        let (code, output) = Programs.run(
            ["python3", "-c", script, Programs.rouse, lab.spool.path + "/sessions/main"], environment: ["ROUSE_SPOOL": lab.spool.path, "TERM": "xterm", "TMUX": "/elsewhere,1,0"])
        #expect(code == 0, "\(output)")
        #expect(try lab.run("still here").text.contains("heard 10 "))
        // The small terminal of the person was not made the agent's.
        let size = Programs.run(["env", "-C", lab.spool.path + "/sessions/main", "tmux", "-S", "tmux.sock", "display-message", "-p", "-t", "=main:", "#{window_width} #{window_height}"])
        #expect(size.output.hasPrefix("200 50"), "\(size.output)")
    }
}

extension Lab {
    /// A FIFO that the fake agent in a terminal waits at.
    fileprivate var gate: String { home + "/gate" }
}
