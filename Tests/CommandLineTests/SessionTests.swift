import Glibc
import SpoolFormat
import TestSupport
import Testing

/// What the command line shows of sessions, and what it says to them, by the files that a daemon reads and writes.
@Suite struct SessionTests {
    let spool = TestSpool()

    /// Makes a session's directory as a daemon would have left it.
    private func make(_ name: String, _ state: SessionState = .idle, agent: String = "claude", driver: String = "acp", _ change: (inout SessionRecord) -> Void = { _ in }) {
        mkdir(path(name), 0o700)
        spool.put(["session": .string(name), "agent": .string(agent)], path(name) + "/session.json")
        var record = SessionRecord(agent: agent, since: TestSpool.noon)
        record.state = state
        change(&record)
        spool.put(record.json, path(name) + "/state.json")
        spool.configure("agents/" + agent, #"{"driver": "\#(driver)", "command": ["claude"]}"#)
    }

    private func path(_ name: String) -> String { "\(spool.path)/sessions/\(name)" }

    /// The tasks in the inbox, read as a daemon reads them.
    private func dropped() throws -> [Verb] {
        try spool.names("inbox").map { try TaskReader.read(try JSONReader.read(try #require(spool.text("inbox/" + $0)))).verb }
    }

    private func rouse(_ words: String...) -> Shell.Answer { Shell(spool).rouse(words) }

    // MARK: looking

    @Test func sessionsAreListed() throws {
        #expect(rouse("session", "list").output.contains("rouse session open"))
        make("boss", .paused) { $0.pausedBy = "pause-1" }
        make("coder", .waiting) {
            ($0.turns, $0.queued, $0.turn) = (4, 2, "p-5")
            ($0.lastOutcome, $0.lastTurnAt) = (.succeeded, TestSpool.noon)
        }
        spool.put(WaitingRecord(.permission, job: "p-5", message: "Run rm?\nreally").json, path("coder") + "/waiting.json")
        spool.configure("sessions/new", #"{"agent": "claude"}"#)
        let lines = rouse("session", "list").lines
        #expect(lines.count == 4 && lines[0].hasPrefix("SESSION"))
        #expect(lines[1].contains("paused") && lines[1].contains("rouse session resume boss"))
        #expect(lines[2].contains("waiting") && lines[2].contains("asks: Run rm?") && lines[2].contains("succeeded"))
        #expect(lines[3].contains("new") && lines[3].contains("cold"))
        let json = try #require(rouse("session", "ls", "--json").json?.array)
        #expect(json.compactMap { $0["session"]?.string } == ["boss", "coder", "new"])
        #expect(json[1]["queued"]?.int == 2 && json[2]["state"]?.string == "cold")
    }

    @Test func whatASessionWaitsForIsShownWithTheAnswer() throws {
        make("coder", .waiting) { ($0.turn, $0.process, $0.progress) = ("p-5", "coder.agent-1", "thinking") }
        let options = [("allow", "Allow once", "allow_once"), ("never", "Never", "reject_always")].map { WaitingRecord.Option(id: $0.0, name: $0.1, kind: $0.2) }
        spool.put(WaitingRecord(.permission, job: "p-5", message: "Run rm -rf /\u{1B}[31m?", options: options).json, path("coder") + "/waiting.json")
        let text = rouse("session", "show", "coder").output
        #expect(text.contains("waiting for ") && text.contains("Run rm -rf /\u{FFFD}[31m?") && text.contains("rouse answer coder allow   Allow once (allow_once)"))
        #expect(text.contains("rouse log -f p-5") && text.contains("claude (acp)"))
        let refused = rouse("answer", "coder", "perhaps", "--no-wait")
        #expect(refused.code == 64 && refused.errors.contains("allow (Allow once), never (Never)"))
        #expect(rouse("answer", "coder", "yes", "--no-wait").code == 0)
        #expect(try dropped() == [.answer(Answer("yes", session: "coder"))])
        let json = try #require(rouse("session", "show", "coder", "--json").json)
        #expect(json["waiting"]?["options"]?.array?.count == 2 && json["state"]?.string == "waiting")
    }

    @Test func locksPausesAndBreakagesSayWhatToDo() {
        make("a", .locked) { $0.locked = .init(reason: "forked", hint: "use a-2", by: "lock-1", at: TestSpool.noon) }
        make("b", .paused) { $0.pausedBy = "pause-1" }
        make("c", .broken) { ($0.isBroken, $0.deaths) = (true, [TestSpool.noon, TestSpool.noon + .seconds(60)]) }
        var options = TaskOptions()
        options.queue = SessionName.processQueue(of: "c")
        spool.make("c.agent-1", .failed, options, result: spool.result("c.agent-1", .failed, exitCode: 127, error: ErrorRecord("exit_code", "no such program")), log: "starting\nI give up\u{1B}[0m\n")
        let (a, b, c) = (rouse("session", "show", "a"), rouse("session", "show", "b"), rouse("session", "show", "c"))
        #expect(a.output.contains("by lock-1") && a.output.contains("forked") && a.output.contains("use a-2") && a.output.contains("session unlock a"))
        #expect(b.output.contains("by pause-1") && b.output.contains("session resume b"))
        for words in ["rouse session reset c", "since 2026-03-01T12:01:00.000Z", "died 2 times", "failed with exit code 127: no such program", "rouse log c.agent-1", "I give up\u{FFFD}[0m\n"] {
            #expect(c.output.contains(words), "\(c.output)")
        }
        #expect(a.code == 0 && a.errors.contains("no daemon is running"))
    }

    @Test func whatABrokenSessionsProcessSaidIsShownOnce() {
        make("c", .broken) { ($0.isBroken, $0.deaths) = (true, [TestSpool.noon]) }
        var options = TaskOptions()
        options.queue = SessionName.processQueue(of: "c")
        let error = ErrorRecord("agent_died", "the agent ended with exit code 3: no key\nI give up")
        spool.make(
            "c.agent-1", .failed, options, result: spool.result("c.agent-1", .failed, exitCode: 3, error: error),
            log: "no key\n\u{1B}[31mI give\u{1B}[0m up\n")
        let output = rouse("session", "show", "c").output
        #expect(output.contains("the agent ended with exit code 3: no key; rouse log c.agent-1\n"), "\(output)")
        #expect(output.components(of: "no key") == 1 && output.components(of: "I give up") == 1 && !output.contains("\u{FFFD}"), "\(output)")
    }

    @Test func whatIsQueuedAndWhatWasSaidAreShown() throws {
        make("coder")
        let task = TaskRecord(
            id: JobID("p-9")!, sequence: 9, verb: .prompt(Prompt([.text("and then?")], target: .session("coder"))), queue: SessionName.queue(of: "coder"),
            uid: 0, acceptedAt: TestSpool.noon, depth: 0, options: TaskOptions())
        mkdir(spool.path + "/queued/p-9", 0o700)
        spool.put(task.json, spool.path + "/queued/p-9/task.json")
        spool.make("other")
        let said: [JSON] = [
            ["mark": "p-1#1", "role": "user", "turn": "p-1", "source": "prompt", "at": "2026-03-01T12:00:00.000Z", "text": "first question"],
            ["mark": "p-1#1", "role": "agent", "turn": "p-1", "at": "2026-03-01T12:01:00.000Z", "text": "first answer", "outcome": "succeeded"],
            ["mark": "p-2#1", "role": "user", "turn": "p-2", "source": "synthetic", "at": "2026-03-01T12:02:00.000Z", "text": "second question"],
            ["mark": "p-2#1", "role": "agent", "turn": "p-2", "at": "2026-03-01T12:03:00.000Z", "text": "", "outcome": "failed", "error": ["code": "x", "message": "no luck"]],
        ]
        spool.write(said.map { String(decoding: JSONWriter.write($0, .line), as: UTF8.self) }.joined(), to: path("coder") + "/transcript.jsonl")
        let text = rouse("session", "show", "coder").output
        #expect(text.contains("p-9") && text.contains("and then?") && !text.contains("other"))
        #expect(text.contains("x: no luck\n") && text.contains("in the turn p-2; rouse show p-2"), "\(text)")
        #expect(text.contains("first question → first answer") && text.contains("second question → no luck"))
        #expect(!rouse("session", "show", "coder", "-n", "1").output.contains("first question"))
        let json = try #require(rouse("session", "show", "coder", "--json").json)
        #expect(json["queued"]?.array?.count == 1 && json["turns"]?.array?[1]["answer"]?["outcome"]?.string == "failed")
        let log = rouse("session", "log", "coder").output
        #expect(log.contains("prompt  p-1") && log.contains("rouse  p-2") && log.contains("\nfirst answer\n") && log.contains("no luck"))
        #expect(rouse("session", "log", "coder", "--json", "--tail", "1").json?["outcome"]?.string == "failed")
        #expect(rouse("session", "log", "coder", "--events").output.isEmpty)
        #expect(rouse("list", "--session", "coder", "--json").json?.array?.map { $0["id"]?.string } == ["p-9"])
        #expect(rouse("list", "--session", "coder", "--queue", "x").code == 64)
    }

    /// Each line once, also where the file is begun anew, and once more before anybody has looked.
    @Test func eventsAreFollowedFromFileToFile() {
        make("coder")
        func write(_ numbers: Range<Int>) {
            spool.write(numbers.map { "{\"n\": \($0)}\n" }.joined(), to: path("coder") + "/events.jsonl")
        }
        func beginAnew() { #expect(rename(path("coder") + "/events.jsonl", path("coder") + "/events.1.jsonl") == 0) }
        write(0..<3)
        beginAnew()
        write(3..<6)
        let follower = Shell(spool).start(["session", "log", "coder", "--events", "--follow"])
        #expect(spool.wait { follower.output.contains("5}") })
        beginAnew()
        write(6..<9)
        beginAnew()
        write(9..<12)
        #expect(spool.wait { follower.output.contains("11}") })
        beginAnew()
        write(12..<15)
        #expect(spool.wait { follower.output.contains("14}") })
        kill(follower.pid, SIGKILL)
        #expect(follower.end().lines == (0..<15).map { "{\"n\": \($0)}" })
        #expect(rouse("session", "log", "coder", "--events", "--tail", "4").lines == (11..<15).map { "{\"n\": \($0)}" })
    }

    @Test func aSessionThatIsNotThereIsTold() {
        make("coder")
        for words in [["session", "show"], ["session", "log"], ["session", "stop", "--no-wait"], ["session", "lock", "--no-wait"], ["attach"]] {
            let answer = Shell(spool).rouse(words + ["codr"])
            #expect(answer.code == 66 && answer.errors.contains("did you mean coder?"), "\(words): \(answer.errors)")
        }
        #expect(rouse("note", "codr", "x", "--no-wait").code == 66)
        #expect(spool.names("inbox").isEmpty)
    }

    // MARK: acting

    @Test(arguments: SessionVerb.allCases.filter { $0 != .open }) func verbsAreDropped(verb: SessionVerb) throws {
        make("coder")
        make("boss")
        #expect(rouse("session", verb.rawValue, "coder", "boss", "--reason", "lunch", "--no-wait").code == 0)
        #expect(try dropped() == ["coder", "boss"].map { .session(SessionCommand(verb, $0, reason: "lunch")) })
        #expect(spool.names("inbox").allSatisfy { $0.hasPrefix(verb.rawValue + "-") })
        let without = rouse("session", verb.rawValue, "coder")
        #expect(without.code == 69 && without.errors.contains("rouse serve"))
    }

    @Test func resetBeginsAnewAndALockHasAHint() throws {
        make("coder")
        #expect(rouse("session", "reset", "coder", "--no-wait").code == 0)
        #expect(rouse("session", "restart", "coder", "--fresh", "--no-wait").code == 0)
        #expect(rouse("session", "lock", "coder", "--reason", "r", "--hint", "h", "--no-wait").code == 0)
        let verbs = try dropped()
        #expect(verbs.count { $0 == .session(SessionCommand(.restart, "coder", isFresh: true)) } == 2)
        #expect(verbs.contains(.session(SessionCommand(.lock, "coder", reason: "r", hint: "h"))))
    }

    @Test func aSessionIsOpened() throws {
        let answer = rouse(
            "session", "open", "boss", "--agent", "claude", "--cwd", "/srv", "--queues", "builds", "--labels", "team=a=b", "--parents", "p-1", "--wake-on",
            "failed", "--mode", "interrupt_if_waiting", "--pending", "3", "--model", "opus", "--env", "A=b", "--timeout", "5m", "--no-wait")
        #expect(answer.code == 0, "\(answer.errors)")
        guard case .session(let command) = try #require(try dropped().first), let session = command.definition else { Issue.record("no definition"); return }
        #expect(command.verb == .open && session.agent == "claude" && session.cwd == "/srv" && session.role == .coordinator && session.pending == 3)
        #expect(session.coordinates.queues == ["builds"] && session.coordinates.labels == ["team": "a=b"] && session.coordinates.parents == ["p-1"])
        #expect(session.wakeOn == [.failed] && session.mode == .interruptIfWaiting && session.model == "opus" && session.timeout == .minutes(5))
        #expect(rouse("session", "open", "a b", "--agent", "c", "--no-wait").code == 64)
    }

    // MARK: speaking

    @Test func promptsAreDropped() throws {
        let answer = rouse("prompt", "coder", "what", "now?", "--display", "short", "--priority", "high", "--notify", "boss")
        #expect(answer.code == 0 && answer.lines.first?.hasPrefix("coder-") == true && answer.errors.contains("rouse serve"))
        #expect(Shell(spool).rouse(["prompt", "coder", "-", "--json"], input: "from\nfar").json?["id"] != nil)
        #expect(Shell(spool).rouse(["prompt", "--agent", "reviewer", "--cwd", "/srv", "--queue", "q"], input: "look").code == 0)
        #expect(try dropped() == [
            .prompt(Prompt([.text("what now?")], display: "short", target: .session("coder"))),
            .prompt(Prompt([.text("from\nfar")], target: .session("coder"))), .prompt(Prompt([.text("look")], target: .agent("reviewer"))),
        ])
        #expect(rouse("prompt").code == 64 && rouse("prompt", "coder", "x", "--queue", "q").code == 64)
        #expect(Shell(spool).rouse(["prompt", "coder", "-"], input: "").code == 64)
    }

    @Test func wakesAndNotesAreDropped() throws {
        make("coder")
        #expect(rouse("wake", "coder", "--reason", "red", "--mode", "interrupt_if_waiting").lines.first?.hasPrefix("wake-") == true)
        #expect(rouse("wake", "coder", "boss").code == 0)
        #expect(rouse("wake", "coder", "--mode", "now").code == 64)
        #expect(rouse("note", "coder", "small", "commits", "--no-wait").code == 0)
        #expect(try dropped() == [
            .note(Note("small commits", session: "coder")), .wake(Wake(["coder"], reason: "red", mode: .interruptIfWaiting)), .wake(Wake(["coder", "boss"])),
        ])
    }

    @Test func anAnswerIsWaitedFor() throws {
        let command = Shell(spool).start(["prompt", "coder", "hello", "--wait"])
        #expect(spool.wait { !spool.list("inbox").isEmpty })
        let id = String(spool.list("inbox")[0].dropLast(5))
        mkdir("\(spool.path)/.staging/\(id)", 0o700)
        unlink("\(spool.path)/inbox/\(id).json")
        var result = spool.result(id, .failed, error: ErrorRecord("refusal", "it would not"))
        result.output = ["text": "no\u{1B}", "stop_reason": "refusal"]
        spool.put(result.json, "\(spool.path)/.staging/\(id)/result.json")
        spool.move(".staging/\(id)", "failed/\(id)")
        let answer = command.end()
        #expect(answer.code == 1 && answer.output == "no\u{1B}\n" && answer.errors.contains("it would not"))
    }

    // MARK: terminals and hooks

    @Test func onlyATerminalThatIsThereIsAttachedTo() {
        make("coder")
        let other = rouse("attach", "coder")
        #expect(other.code == 69 && other.errors.contains("driver is acp") && other.errors.contains("rouse session log"))
        make("cold", .cold, agent: "term", driver: "tmux")
        let cold = rouse("attach", "cold")
        #expect(cold.code == 69 && cold.errors.contains("is not running") && cold.errors.contains("cold"))
    }

    @Test func anAgentReports() throws {
        make("coder")
        let inside = Shell(spool, environment: ["ROUSE_SESSION": "coder"])
        func report() -> TurnReport? { spool.json("sessions/coder/report.json").flatMap(TurnReport.init) }
        #expect(inside.rouse("report", "working").code == 0 && report()?.state == .working && report()?.message == nil)
        #expect(inside.rouse("report", "progress", "half", "done").code == 0 && report()?.message == "half done")
        #expect(inside.rouse(["report", "waiting", "--field", "a.b"], input: #"{"a": {"b": "May I?"}}"#).code == 0 && report()?.message == "May I?")
        #expect(inside.rouse(["report", "waiting", "--field", "a"], input: "no JSON").code == 0 && report()?.message == nil)
        #expect(Shell(spool).rouse("report", "idle", "--session", "coder").output.isEmpty && report()?.state == .idle)
        // Elsewhere it does nothing, unless asked.
        for shell in [Shell(), Shell(spool), Shell(spool, environment: ["ROUSE_SESSION": "../x"]), Shell(spool, environment: ["ROUSE_SESSION": "gone"])] {
            let quiet = shell.rouse("report", "idle")
            #expect(quiet.code == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
            #expect(shell.rouse("report", "idle", "--required").code == 66)
        }
        #expect(inside.rouse("report", "starting").code == 64 && inside.rouse("report", "asleep").code == 64)
        #expect(spool.names("inbox").isEmpty)
    }
}
