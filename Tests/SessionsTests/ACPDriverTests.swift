import Glibc
import SpoolFormat
import TestSupport
import Testing

/// Turns with an agent that speaks the Agent Client Protocol, well and badly. Those here run once: the agent is the
/// turn's own child. What a kept agent adds is in `KeptAgentTests`.
@Suite struct ACPDriverTests {
    static func agent(_ options: String = "", _ more: String = "") -> String {
        let words = options.split(separator: " ").map { ", \"\($0)\"" }.joined()
        return #"{"driver": "acp", "command": ["$FIXTURES/acp.py"\#(words)], "cancel_timeout": "20s", "grace": "4s"\#(more.isEmpty ? "" : ", " + more)}"#
    }

    private static func once(_ prompt: String, _ options: String = "", _ more: String = "") throws -> ReplyRecord {
        try Lab(agent(options, more), session: nil).run(prompt)
    }

    @Test("The answer is what the agent said, without its thoughts; every update is an event, also of kinds that nobody knows")
    func updates() throws {
        let lab = try Lab(Self.agent(), session: nil)
        let reply = try lab.run(#"""
            say Hello
            think hm
            update {"sessionUpdate": "tool_call", "toolCallId": "t", "title": "look"}
            say world
            update {"sessionUpdate": "from_the_future", "x": [1]}
            notify _vendor/thing {"y": 2}
            update {"sessionUpdate": "usage_update", "used": 1, "size": 2, "cost": {"amount": 0.25, "currency": "USD"}}
            """#)
        #expect(reply.text == "Hello\n\nworld" && reply.stopReason == "end_turn" && reply.error == nil)
        #expect(reply.usage == Usage(inputTokens: 7, outputTokens: 2, costUSD: 0.25) && reply.isCostCumulative && !reply.isUsageCumulative)
        #expect(reply.agentSession?.hasPrefix("session-") == true)
        #expect(lab.events("update").compactMap { $0["update"]?["sessionUpdate"]?.string } == [
            "agent_message_chunk", "agent_thought_chunk", "tool_call", "agent_message_chunk", "from_the_future", "usage_update",
        ])
        #expect(lab.events("update")[4]["update"]?["x"] == [1])
        #expect(lab.events("notification").first?["params"]?["y"]?.int == 2)
        // What came on its stdout is in the log, beside its stderr.
        let log = lab.spool.text("running/turn-1/log") ?? ""
        #expect(log.contains("the agent is up") && log.contains("from_the_future"))
    }

    @Test("Each stop reason comes through; the driver adds no success to any", arguments: ["end_turn", "max_tokens", "max_turn_requests", "refusal"])
    func stopReason(reason: String) throws {
        let reply = try Self.once("say x\nstop \(reason)")
        #expect(reply.stopReason == reason && reply.error == nil && reply.text == "x")
    }

    @Test("A stop reason that nobody asked for, or that nobody knows, is a failure")
    func strangeStopReason() throws {
        #expect(try Self.once("say x\nstop cancelled").error?.code == "cancelled_by_agent")
        #expect(try Self.once("say x\nstop because").error?.code == "agent_failed")
    }

    @Test("A turn that ends without a word is a failure; after tools have run, trying again is not proposed")
    func empty() throws {
        let reply = try Self.once("think nothing to say")
        #expect(reply.error?.code == "empty_reply" && reply.error?.retryable == true && reply.stopReason == "failed")
        let acted = try Self.once(#"update {"sessionUpdate": "tool_call", "toolCallId": "t"}"#)
        #expect(acted.error?.code == "empty_reply" && acted.error?.retryable == false)
    }

    @Test("Lines that are no messages are left alone")
    func noise() throws {
        let reply = try Self.once("say still here", "--noise")
        #expect(reply.text == "still here" && reply.error == nil)
        #expect(reply.warnings.contains { $0.contains("no messages") })
    }

    @Test("A flood is taken in, and the answer after it is there")
    func flood() throws {
        let lab = try Lab(Self.agent(), session: nil)
        #expect(try lab.run("flood 20000\nsay done").text == "done")
        #expect(lab.events("update").count == 20_001)
    }

    @Test("A message longer than any buffer is read, also one that carries a file")
    func long() throws {
        #expect(try Self.once("long 5000000").text.hasSuffix("y and the end"))
        #expect(try Self.once("say x\nlong-answer 5000000").text == "x")
        let lab = try Lab(Self.agent(), session: nil)
        #expect(try lab.run("write-long \(lab.work)/file 5000000").text == "{}")
        #expect(lab.spool.text("work/file")?.utf8.count == 5_000_000)
    }

    @Test("A message that is too long to be heard ends the turn, whatever it was", arguments: ["long 70000000\nsay after", "long-answer 70000000", "write-long /x 70000000"])
    func tooLong(prompt: String) throws {
        let reply = try Self.once("say begun\n\(prompt)")
        #expect(reply.error?.code == "agent_failed" && reply.error?.message.contains("64 MiB") == true)
        #expect(reply.stopReason == "failed" && reply.text.hasPrefix("begun"))
    }

    @Test("A request that can't be read is refused, so that the agent does not wait for ever", arguments: ["fs/read_text_file", "session/request_permission"])
    func unreadable(method: String) throws {
        #expect(try Self.once("deep \(method)").text == "-32600")
    }

    @Test("An agent that dies in the middle of a message")
    func half() throws {
        let reply = try Self.once("say begun\nhalf")
        #expect(reply.error?.code == "agent_died" && reply.error?.retryable == true && reply.stopReason == "failed" && reply.text == "begun")
    }

    @Test("An agent that never answers is ended when its time to be ready is up", arguments: ["initialize", "session/new"])
    func mute(method: String) throws {
        let lab = try Lab(Self.agent("--deaf --mute \(method)", #""ready": {"timeout": "2s"}"#), session: nil)
        let reply = try lab.run("say x")
        #expect(reply.error?.code == "agent_not_ready" && reply.error?.retryable == true && reply.stopReason == "error")
        #expect(lab.events("prompt").isEmpty)
    }

    @Test("A version that is not ours is refused, with what to do")
    func version() throws {
        let reply = try Self.once("say x", "--version 2")
        #expect(reply.error?.code == "unsupported_protocol" && reply.error?.retryable == false && reply.stopReason == "error")
    }

    @Test("Who is not logged in is told so, and how one can")
    func authentication() throws {
        let lab = try Lab(Self.agent("--refuse session/new -32000 auth"), session: nil)
        let error = try #require(try lab.run("say x").error)
        #expect(error.code == "authentication_required" && error.message.contains("Log in with a browser"))
    }

    @Test("An error of the agent's is the turn's, sorted by what it says", arguments: [
        ("-32603 Rate limit exceeded", "rate_limited", true), ("-32603 Overloaded", "overloaded", true), ("-32603 no", "agent_failed", false),
        ("-32000 Authentication required", "authentication_required", false),
    ])
    func error(message: String, code: String, isRetryable: Bool) throws {
        let reply = try Self.once("say a part\nerror \(message)")
        #expect(reply.error?.code == code && reply.error?.retryable == isRetryable && reply.text == "a part" && reply.stopReason == "failed")
    }

    @Test("Images go to agents that take them, and are named to others")
    func images() throws {
        let content: [ContentBlock] = [.text("recall"), .image(data: "aGk=", mimeType: "image/png"), .resourceLink(uri: "file:///x", name: "x")]
        let plain = try Lab(Self.agent(), session: nil)
        #expect(try plain.run("", content: content).warnings == ["the agent takes no images; they were named and not shown"])
        let seeing = try Lab(Self.agent("--images"), session: nil)
        #expect(try seeing.run("", content: content).warnings.isEmpty)
    }

    // MARK: permissions

    @Test("The policy chooses by the option's kind, and never grants more than it says", arguments: [
        (#""allow_once""#, "1"), (#""allow_always""#, "a"), (#""reject_once""#, "no-thanks"), (#""reject_always""#, "zzz"),
        (#"{"default": "reject_once", "edit": "allow_once"}"#, "1"), (#"{"default": "reject_once", "read": "allow_once"}"#, "no-thanks"),
    ])
    func policy(policy: String, option: String) throws {
        let lab = try Lab(Self.agent("", "\"permissions\": \(policy)"), session: nil)
        #expect(try lab.run("permission edit").text == "chosen: \(option)")
        #expect(lab.events("permission").first?["answer"]?.string == option && lab.events("permission").first?["by"]?.string == "policy")
    }

    @Test("Where nobody can be asked, the answer is no, and the reply says so")
    func nobody() throws {
        let reply = try Self.once("permission edit")
        #expect(reply.text == "chosen: no-thanks" && reply.warnings == ["nobody could be asked for permission: Remove everything"])
    }

    // MARK: files and terminals

    @Test("Files below the working directory are read and written; links that lead out, and all else, are refused")
    func files() throws {
        let lab = try Lab(Self.agent(), session: nil)
        lab.write("one\ntwo\nthree\n", to: "work/in")
        symlink("/etc", "\(lab.work)/out")
        symlink("/tmp/rouse-no-such-file", "\(lab.work)/dangling")
        symlink("\(lab.work)/in", "\(lab.work)/link")
        mkfifo("\(lab.work)/fifo", 0o600)
        func call(_ method: String, _ path: String, _ more: String = "") -> String { "call fs/\(method)_text_file {\"path\": \"\(path)\"\(more)}\n" }
        let lines = try lab.run(
            call("read", "\(lab.work)/in", #", "line": 2, "limit": 1"#) + call("read", "\(lab.work)/link") + call("read", "\(lab.work)/gone")
                + call("write", "\(lab.work)/new/er/file", #", "content": "ünï\n""#) + call("read", "\(lab.work)/out/passwd")
                + call("write", "\(lab.work)/dangling", #", "content": "x""#) + call("read", "\(lab.work)/../home/x") + call("read", "in")
                + call("write", "\(lab.work)/fifo", #", "content": "x""#) + call("write", "\(lab.work)/made/../../escaped", #", "content": "x""#)
                + call("read", "\(lab.work)/fifo")
        ).text.split(separator: "\n").map { try? JSONReader.read(Array($0.utf8)) }
        #expect(lines.count == 11)
        #expect(lines[0]?["content"]?.string == "two")
        #expect(lines[1]?["content"]?.string == "one\ntwo\nthree\n")
        #expect(lines[2]?["code"]?.int == -32002)
        #expect(lines[3] == .object([:]) && lab.spool.text("work/new/er/file") == "ünï\n")
        for index in [4, 6, 7, 9] { #expect(lines[index]?["code"]?.int == -32602, "\(index)") }
        for line in lines[4...] { #expect(line?["code"]?.int != nil, "\(String(describing: line))") }
        #expect(access("/tmp/rouse-no-such-file", F_OK) != 0 && !lab.spool.exists("escaped"))
    }

    @Test("A terminal's program runs without a shell, its output is bounded, and its end is told")
    func terminal() throws {
        let lab = try Lab(Self.agent(), session: nil)
        let lines = try lab.run(#"""
            call terminal/create {"command": "sh", "args": ["-c", "printf '%s|' \"$0\" \"$X\"; pwd; printf 'äöü' >&2; exit 3", "$HOME; ls"], "env": [{"name": "X", "value": "y"}], "outputByteLimit": 5}
            call terminal/wait_for_exit {"terminalId": "$terminal"}
            call terminal/output {"terminalId": "$terminal"}
            call terminal/release {"terminalId": "$terminal"}
            call terminal/output {"terminalId": "$terminal"}
            call terminal/create {"command": "rouse-no-such-program"}
            call terminal/create {"command": "sleep", "args": ["1000"]}
            call terminal/kill {"terminalId": "$terminal"}
            call terminal/wait_for_exit {"terminalId": "$terminal"}
            call elicitation/create {}
            """#).text.split(separator: "\n").map { try? JSONReader.read(Array($0.utf8)) }
        #expect(lines.count == 10)
        #expect(lines[1]?["exitCode"]?.int == 3 && lines[1]?["signal"] == .null)
        // Five bytes would begin in the middle of a character.
        #expect(lines[2]?["output"]?.string == "öü" && lines[2]?["truncated"]?.bool == true && lines[2]?["exitStatus"]?["exitCode"]?.int == 3)
        #expect(lines[4]?["code"]?.int == -32002)
        #expect(lines[5]?["message"]?.string?.contains("rouse-no-such-program") == true)
        #expect(lines[8]?["signal"]?.string == "SIGTERM")
        #expect(lines[9]?["code"]?.int == -32601)
    }

    @Test("What a terminal has started ends with the turn, however it was started")
    func terminalsEnd() throws {
        let lab = try Lab(Self.agent(), session: nil)
        _ = try lab.run(#"""
            call terminal/create {"command": "sh", "args": ["-c", "setsid sh -c 'trap \"\" TERM; echo $$ > ../home/pid; mv ../home/pid ../home/pids; while :; do sleep 1000; done' & wait"]}
            call terminal/create {"command": "sh", "args": ["-c", "while [ ! -e ../home/pids ]; do sleep 0.05; done"]}
            call terminal/wait_for_exit {"terminalId": "$terminal"}
            """#)
        #expect(!Lab.isAlive(Int32(try #require(lab.spool.text("home/pids")).dropLast())!))
    }

    @Test("An agent that hears neither the end of its input nor SIGTERM is ended all the same")
    func deaf() throws {
        let lab = try Lab(Self.agent("--deaf"), session: nil)
        let reply = try lab.run("say x")
        #expect(reply.text == "x")
        let pid = try #require(reply.agentSession?.split(separator: "-")[1])
        #expect(!Lab.isAlive(Int32(pid)!))
    }
}
