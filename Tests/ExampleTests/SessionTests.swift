import Glibc
import SpoolFormat
import Testing
import TestSupport

/// The example tasks that speak to agents, one after another in one spool.
@Suite struct SessionTests {
    static let prefix = "session-"

    @Test(arguments: try Repository.examples("agents"))
    func anAgentIsTakenByTheReader(_ name: String) throws {
        // A file of hooks is the agent's own and not ours.
        guard !name.hasSuffix("-hooks") else { return }
        _ = try AgentConfiguration.read(try Repository.json("examples/agents/\(name).json"))
    }

    /// Screens as Claude Code paints them: only the first waits for a prompt.
    @Test(arguments: [
        ("● Done.\n\n╭────╮\n│ > │\n╰────╯\n  ? for shortcuts", true), ("● Done.\n────\n❯\n────", true),
        ("✻ Thinking… (12s · esc to interrupt)\n╭────╮\n│ > │\n╰────╯", false),
        ("Do you trust the files in this folder?\n❯ 1. Yes, proceed\n  2. No, exit\n\nEnter to confirm · Esc to exit", false), ("Starting…", false),
    ])
    func theTerminalsAgentIsReadyWhereItWaits(_ screen: String, _ isReady: Bool) throws {
        let agent = try AgentConfiguration.read(try Repository.json("examples/agents/tmux.json"))
        let pattern = try Regex(try #require(agent.ready.pattern))
        #expect(agent.driver == .tmux && screen.contains(pattern) == isReady)
    }

    /// Every hook is run as Claude Code runs it, with JSON on its standard input.
    @Test func theHooksReport() throws {
        let spool = TestSpool()
        mkdir(spool.path + "/sessions/coder", 0o700)
        let hooks = try #require(try Repository.json("examples/agents/claude-code-hooks.json")["hooks"]?.object)
        let input = spool.path + "/input"
        spool.write(#"{"message": "May I run rm?", "tool_name": "Bash", "session_id": "x"}"#, to: input)
        let expected: [String: (String, String?)] = [
            "SessionStart": ("idle", nil), "UserPromptSubmit": ("working", nil), "PreToolUse": ("working", "Bash"), "PostToolUse": ("working", nil),
            "Notification": ("waiting", "May I run rm?"), "Stop": ("idle", nil),
        ]
        #expect(Set(hooks.names) == Set(expected.keys))
        for hook in hooks.members {
            let command = try #require(hook.value.array?.first?["hooks"]?.array?.first?["command"]?.string)
            let path = "\(Programs.directory):\(getenv("PATH").map { String(cString: $0) } ?? "")"
            for environment in [["ROUSE_SPOOL": spool.path, "ROUSE_SESSION": "coder"], ["ROUSE_SPOOL": "", "ROUSE_SESSION": ""]] {
                let (code, output) = Programs.run(["/bin/sh", "-c", command + " < " + input], environment: environment.merging(["PATH": path]) { $1 })
                #expect(code == 0 && output.isEmpty, "\(hook.name): \(output)")
            }
            let report = try #require(spool.json("sessions/coder/report.json").flatMap(TurnReport.init))
            #expect(report.state.rawValue == expected[hook.name]?.0 && report.message == expected[hook.name]?.1, "\(hook.name)")
        }
    }

    @Test(arguments: try Repository.examples("sessions"))
    func aSessionIsTakenByTheReader(_ name: String) throws {
        _ = try SessionConfiguration.read(try Repository.json("examples/sessions/\(name).json"))
    }

    @Test func eachDoesWhatItsNameSays() throws {
        let spool = TestSpool()
        spool.configure("agents/script", try Repository.text("examples/agents/script.json"))
        for name in ["coordinator", "reviewer"] { spool.configure("sessions/\(name)", try Repository.text("examples/sessions/\(name).json")) }
        let daemon = TestDaemon(spool)
        var done: Set<String> = []

        func drop(_ name: String, as id: String? = nil) throws -> String {
            done.insert(Self.prefix + name)
            spool.drop((id ?? name) + ".json", try Repository.text("examples/tasks/\(Self.prefix)\(name).json"))
            return id ?? name
        }
        func result(_ id: String) throws -> JSON { try #require(spool.finished(id), "\(id) did not end") }
        func act(_ name: String, was: SessionState, now: SessionState) throws {
            let result = try result(try drop(name))
            #expect(result["outcome"]?.string == "succeeded", "\(name)")
            #expect(result["output"]?["was"]?.string == was.rawValue && result["output"]?["now"]?.string == now.rawValue, "\(name)")
        }

        try act("open", was: .cold, now: .cold)
        let definition = try #require(spool.json("sessions/helper/session.json"))
        for member in try #require(Repository.json("examples/tasks/session-open.json").object).members where member.name != "open" {
            #expect(definition[member.name] == member.value, "\(member.name)")
        }
        #expect(try result(drop("prompt"))["output"]?["text"]?.string == "You said: Say hello.")
        #expect(try result(drop("note"))["output"]?["note"]?.string == "note")
        #expect(try result(drop("prompt-blocks"))["output"]?["text"]?.string == "You said: Note: The release is frozen until Monday.")
        #expect(try result(drop("prompt-agent"))["output"]?["text"]?.string == "You said: Run once, and remember nothing.")
        #expect(try result(drop("answer"))["error"]?["code"]?.string == "not_waiting")
        #expect(try result(drop("interrupt"))["error"]?["code"]?.string == "no_turn")

        let wake = try result(drop("wake"))
        #expect(wake["wake"]?["outcome"]?.string == "sent")
        #expect(wake["wake"]?["reasons"]?.array?.map { $0["text"]?.string } == ["the nightly build is done"])
        #expect(try result(drop("notify"))["outcome"]?.string == "succeeded")
        var turns: [String] { spool.list("done").filter { $0.hasPrefix("wake-helper-") } }
        #expect(spool.wait { !turns.isEmpty })
        #expect(spool.result(of: try #require(turns.first))?["wake"]?["reasons"]?.array?.map { $0["job"]?.string } == ["notify"])
        #expect(try result(drop("wake-several"))["output"]?["jobs"] == ["wake-several.0", "wake-several.1"])
        for id in ["wake-several.0", "wake-several.1"] { #expect(try result(id)["wake"]?["outcome"]?.string == "sent") }

        try act("pause", was: .cold, now: .paused)
        let waiting = try drop("prompt", as: "later")
        #expect(spool.reaches("queued", waiting))
        #expect(try result(drop("hold"))["output"]?["jobs"]?["later"]?.string == "held")
        try act("resume", was: .paused, now: .cold)
        #expect(try result(drop("release"))["output"]?["jobs"]?["later"]?.string == "released")
        #expect(try result(waiting)["outcome"]?.string == "succeeded")

        try act("lock", was: .cold, now: .locked)
        let refused = try drop("prompt", as: "refused")
        let fault = try #require(spool.rejection(of: refused))
        #expect(fault["code"]?.string == "session_locked")
        #expect(fault["hint"]?.string == "speak to helper-2 instead")
        try act("unlock", was: .locked, now: .cold)
        try act("stop", was: .cold, now: .cold)
        try act("restart", was: .cold, now: .cold)

        #expect(try Set(Repository.examples("tasks").filter { $0.hasPrefix(Self.prefix) }) == done)
        let said = try #require(spool.text("sessions/helper/transcript.jsonl")).split(separator: "\n").count
        #expect(said == 2 * 6)
        #expect(daemon.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
    }
}
