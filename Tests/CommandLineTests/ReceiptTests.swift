import Glibc
import SpoolFormat
import TestSupport
import Testing

/// What a command that drops says of what became of it.
@Suite struct ReceiptTests {
    let spool = TestSpool()

    /// A machine that is busy must not make these say less.
    private func rouse(_ words: [String], patience: String = "120s", input: String? = nil) -> Shell.Answer {
        Shell(spool, environment: ["ROUSE_PATIENCE": patience]).rouse(words, input: input)
    }

    private func say(_ name: String, _ definition: String) { spool.configure(name, definition) }

    // MARK: rejected

    @Test(arguments: [
        (["prompt", "nobody", "hello"], "unknown_session", "field: session"), (["wake", "nobody"], "unknown_session", "field: wake"),
        (["prompt", "--agent", "nobody", "hello"], "unknown_agent", "config/agents/nobody.json"),
        (["prompt", "nobody", "hello", "--wait"], "unknown_session", "field: session"), (["wake", "nobody", "--wait"], "unknown_session", "field: wake"),
        (["drop", "--notify", "nobody", "--", "true"], "unknown_session", "field: notify[0]"),
        (["drop", "--notify", "nobody", "--wait", "--", "true"], "unknown_session", "field: notify[0]"),
        (["session", "open", "new", "--agent", "nobody", "--no-wait"], "unknown_agent", "field: agent"),
        (["session", "open", "new", "--agent", "nobody"], "unknown_agent", "field: agent"),
    ])
    func whatIsRejectedIsToldAtOnce(words: [String], code: String, place: String) {
        let daemon = TestDaemon(spool)
        let answer = rouse(words)
        #expect(answer.code == 65 && answer.output.isEmpty, "\(answer)")
        for text in ["rejected: ", ".json:", "code: \(code)", place, "hint: "] { #expect(answer.errors.contains(text), "\(answer.errors)") }
        #expect(answer.errors.components(of: "rejected: ") == 1, "\(answer.errors)")
        #expect(daemon.stop() == 0)
    }

    /// Between the reason and the end of a rejection, where nothing happens that could be waited for.
    @Test func aRejectedFileIsNotTakenForOneThatIsStillBeingLookedAt() {
        mkdir(spool.path + "/.staging/x", 0o700)
        spool.write("{}", to: spool.path + "/rejected/x.json")
        spool.write(#"{"code": "no_verb", "message": "there is no verb"}"#, to: spool.path + "/rejected/x.error.json")
        let answer = rouse(["wait", "x"])
        #expect(answer.code == 65 && answer.errors.contains("no_verb"), "\(answer)")
    }

    @Test func ofManyThatAreDroppedEachIsToldOf() {
        let daemon = TestDaemon(spool)
        mkdir(spool.path + "/.files", 0o700)
        let names = (100..<200).map { "t\($0)" }
        for name in names { spool.write(name == "t150" ? #"{"run": ["true"], "notify": "nobody"}"# : #"{"run": ["true"]}"#, to: "\(spool.path)/.files/\(name).json") }
        let answer = Shell(spool, directory: spool.path + "/.files", environment: ["ROUSE_PATIENCE": "120s"]).rouse(["drop"] + names.map { $0 + ".json" })
        #expect(answer.code == 65 && answer.lines == names.filter { $0 != "t150" }, "\(answer.errors)")
        #expect(answer.errors.contains("t150.json:1:") && answer.errors.components(of: "rejected: ") == 1)
        let json = rouse(["drop", "--json", "--id", "one", "--notify", "nobody", "--", "true"])
        #expect(json.code == 65 && json.json?["rejected"]?.string?.contains("unknown_session") == true && json.json?["id"] == "one")
        #expect(daemon.stop() == 0)
    }

    /// More than a process may have open: what can't be followed goes by its name.
    @Test func thousandsAreDroppedAndWaitedFor() {
        mkdir(spool.path + "/.files", 0o700)
        let names = (1000..<2200).map { "t\($0)" }
        for name in names { spool.write(#"{"hold": "\#(name)"}"#, to: "\(spool.path)/.files/\(name).json") }
        let shell = Shell(spool, directory: spool.path + "/.files")
        let command = shell.start(["drop", "--wait"] + names.map { $0 + ".json" })
        #expect(spool.wait { spool.names("inbox").count == names.count })
        let daemon = TestDaemon(spool)
        let answer = command.end()
        #expect(answer.lines == names && answer.errors.contains("no daemon is running; the tasks will be taken in"))
        // None is a job that can be held.
        #expect(answer.code == 1)
        #expect(daemon.stop() == 0)
    }

    /// The daemon has ended between the two, or has no room for the reason; its part is played here.
    @Test func aReasonThatNeverComesIsNotWaitedForWithoutEnd() {
        let lock = HeldLock(spool)
        let command = Shell(spool, environment: ["ROUSE_PATIENCE": "100ms"]).start(["drop", "--wait", "--id", "x", "--", "true"])
        #expect(spool.wait { spool.exists("inbox/x.json") })
        spool.move("inbox/x.json", "rejected/x.json")
        let answer = command.end()
        #expect(answer.code == 65 && answer.errors.components(of: "x.json was rejected, and no reason is there yet") == 1, "\(answer)")
        withExtendedLifetime(lock) {}
    }

    @Test func aReasonThatNeverComesIsNotWaitedForByNameEither() {
        let lock = HeldLock(spool)
        spool.write("{", to: spool.path + "/inbox/x.json")
        spool.write("{", to: spool.path + "/rejected/y.json")
        let command = Shell(spool, environment: ["ROUSE_PATIENCE": "100ms"]).start(["wait", "x", "y"])
        // That y is told of shows that the watch is armed.
        #expect(spool.wait { command.errors.contains("y.json was rejected") })
        spool.move("inbox/x.json", "rejected/x.json")
        let answer = command.end()
        #expect(answer.code == 65 && answer.errors.contains("x.json was rejected, and no reason is there yet"), "\(answer)")
        withExtendedLifetime(lock) {}
    }

    // MARK: verbs

    @Test(arguments: [
        (#"{"cancel": "nobody"}"#, 66, "not_found"), (#"{"resume": "talk"}"#, 1, "not_paused"), (#"{"answer": "yes", "session": "talk"}"#, 1, "not_waiting"),
        (#"{"interrupt": "talk"}"#, 1, "no_turn"), (#"{"tasks": [{"run": ["true"], "id": "inner"}]}"#, 0, ""), (#"{"lock": "talk"}"#, 0, ""),
    ])
    func aVerbThatFailsIsSeen(task: String, code: Int, word: String) {
        say("agents/a", #"{"driver": "command", "command": ["true"]}"#)
        say("sessions/talk", #"{"agent": "a"}"#)
        let daemon = TestDaemon(spool)
        let answer = rouse(["drop", "--id", "verb"], input: task)
        #expect(answer.code == code && answer.output == "verb\n", "\(answer)")
        #expect(word.isEmpty ? answer.errors.isEmpty : answer.errors.contains("(\(word))"), "\(answer.errors)")
        #expect(daemon.stop() == 0)
    }

    @Test func aVerbThatIsNotWaitedForIsSeenToFailAllTheSame() {
        say("agents/a", #"{"driver": "command", "command": ["true"]}"#)
        say("sessions/talk", #"{"agent": "a"}"#)
        let daemon = TestDaemon(spool)
        #expect(spool.wait { spool.exists("sessions/talk/state.json") })
        for words in [["session", "resume", "talk"], ["session", "unlock", "talk"], ["answer", "talk", "yes"]] {
            for more in [[], ["--no-wait"]] {
                let answer = rouse(words + more)
                #expect(answer.code == 1 && answer.errors.contains("talk"), "\(words + more): \(answer)")
            }
        }
        let noted = rouse(["note", "talk", "known", "--no-wait"])
        #expect(noted.code == 0 && noted.lines.first?.hasPrefix("note-") == true && noted.errors.isEmpty)
        #expect(daemon.stop() == 0)
    }

    // MARK: the id

    /// The daemon's part is played here: it has found the name in use.
    @Test(arguments: [false, true]) func theIDIsTheOneThatTheJobHas(isWaitedFor: Bool) {
        let lock = HeldLock(spool)
        let command = Shell(spool, environment: ["ROUSE_PATIENCE": "120s"]).start(["drop", "--id", "x"] + (isWaitedFor ? ["--wait"] : []) + ["--", "true"])
        #expect(spool.wait { spool.exists("inbox/x.json") })
        mkdir(spool.path + "/.staging/x-06ap3hkw2c", 0o700)
        spool.move("inbox/x.json", ".staging/x-06ap3hkw2c/drop.json")
        spool.put(spool.result("x-06ap3hkw2c", .succeeded).json, spool.path + "/.staging/x-06ap3hkw2c/result.json")
        spool.move(".staging/x-06ap3hkw2c", "queued/x-06ap3hkw2c")
        if isWaitedFor { spool.move("queued/x-06ap3hkw2c", "done/x-06ap3hkw2c") }
        let answer = command.end()
        #expect(answer.code == 0 && answer.output == "x-06ap3hkw2c\n", "\(answer)")
        #expect(answer.errors.contains("the id x is in use; the job is called x-06ap3hkw2c"))
        withExtendedLifetime(lock) {}
    }

    @Test func aJobThatIsQuickerThanTheCommandHasItsID() {
        let daemon = TestDaemon(spool)
        for number in 0..<10 {
            let answer = rouse(["drop", "--id", "quick\(number)", "--own-directory", "--", "true"])
            #expect(answer.code == 0 && answer.output == "quick\(number)\n" && answer.errors.isEmpty, "\(answer)")
        }
        #expect(daemon.stop() == 0)
    }

    // MARK: nobody looks

    @Test func aDaemonThatIsBusyIsNotWaitedForForLong() {
        let lock = HeldLock(spool)
        spool.write(#"{"fault": "no space left"}"#, to: spool.path + "/daemon/daemon.json")
        for words in [["drop", "--id", "x", "--", "true"], ["prompt", "--id", "y", "talk", "hello"]] {
            let answer = rouse(words, patience: "1ms")
            #expect(answer.code == 0 && answer.output == words[2] + "\n")
            #expect(answer.errors.contains("rouse wait \(words[2])") && answer.errors.contains("no space left"), "\(answer.errors)")
        }
        #expect(spool.names("inbox") == ["x.json", "y.json"])
        withExtendedLifetime(lock) {}
    }

    @Test(arguments: [["drop", "--", "true"], ["prompt", "talk", "hello"], ["wake", "talk"], ["note", "talk", "x", "--no-wait"], ["session", "lock", "talk", "--no-wait"]])
    func withoutADaemonThatIsSaid(words: [String]) {
        say("sessions/talk", #"{"agent": "a"}"#)
        let answer = rouse(words)
        #expect(answer.code == 0 && answer.lines.count == 1 && spool.names("inbox") == [answer.lines[0] + ".json"])
        #expect(answer.errors == "rouse: no daemon is running; the task will be taken in when one is (start one with: rouse serve)\n")
    }
}

extension String {
    /// How often the text is in it.
    func components(of text: String) -> Int { ranges(of: text).count }
}

/// What a prompt is told that will not begin by itself, and what belongs to a prompt as to any task.
@Suite struct PromptTests {
    let spool = TestSpool()

    private func make(_ name: String, _ state: SessionState, _ change: (inout SessionRecord) -> Void) {
        mkdir("\(spool.path)/sessions/\(name)", 0o700)
        spool.put(["session": .string(name), "agent": "a"], "\(spool.path)/sessions/\(name)/session.json")
        var record = SessionRecord(agent: "a", since: TestSpool.noon)
        record.state = state
        change(&record)
        spool.put(record.json, "\(spool.path)/sessions/\(name)/state.json")
    }

    @Test func aSessionThatStartsNoTurnSaysSo() {
        make("paused", .paused) { $0.pausedBy = "pause-1" }
        make("broken", .broken) { $0.isBroken = true }
        make("locked", .locked) { $0.locked = .init(reason: "forked", hint: nil, by: "lock-1", at: TestSpool.noon) }
        make("idle", .idle) { _ in }
        func said(_ words: String...) -> String { Shell(spool).rouse(words).errors }
        #expect(said("prompt", "paused", "x").contains("paused by pause-1; the prompt waits until: rouse session resume paused"))
        #expect(said("prompt", "broken", "x").contains("the prompt waits until: rouse session reset broken"))
        // The daemon is asked, and refuses it unless the lock is gone by then.
        #expect(said("prompt", "locked", "x").contains("locked by lock-1: forked; the prompt will be refused unless it is unlocked by then: rouse session unlock locked"))
        #expect(said("wake", "locked", "paused", "idle").contains("the wake waits until: rouse session unlock locked"))
        #expect(!said("prompt", "idle", "x").contains("waits until") && !said("prompt", "--agent", "paused", "x").contains("waits until"))
    }

    @Test func whatTheDaemonDoesIsWhatIsSaid() {
        spool.configure("agents/a", #"{"driver": "command", "command": ["true"]}"#)
        spool.configure("sessions/talk", #"{"agent": "a"}"#)
        let daemon = TestDaemon(spool)
        let shell = Shell(spool, environment: ["ROUSE_PATIENCE": "120s"])
        #expect(shell.rouse("session", "pause", "talk").code == 0)
        let paused = shell.rouse("prompt", "--id", "waits", "talk", "x")
        #expect(paused.code == 0 && paused.output == "waits\n" && paused.errors.contains("rouse session resume talk"))
        #expect(spool.state(of: "waits") == "queued")
        #expect(shell.rouse("session", "lock", "talk", "--reason", "busy", "--hint", "use other").code == 0)
        let locked = shell.rouse("prompt", "talk", "x")
        #expect(locked.code == 65 && locked.output.isEmpty && locked.errors.contains("session_locked") && locked.errors.contains("hint: use other"))
        #expect(!locked.errors.contains("waits until"))
        #expect(daemon.stop() == 0)
    }

    @Test func aPromptHasAnIDAKeyAndLabelsLikeAnyTask() throws {
        make("talk", .idle) { _ in }
        let answer = Shell(spool).rouse("prompt", "--id", "mine", "--key", "k", "--on-duplicate", "replace", "--label", "a=b", "talk", "hello")
        #expect(answer.code == 0 && answer.output == "mine\n", "\(answer.errors)")
        let task = try TaskReader.read(try JSONReader.read(try #require(spool.text("inbox/mine.json"))))
        #expect(task.options.key == "k" && task.options.onDuplicate == .replace && task.options.labels == ["a": "b"])
        let again = Shell(spool).rouse("prompt", "--id", "mine", "talk", "hello")
        #expect(again.code == 73 && again.errors.contains("the id mine is taken"))
        #expect(Shell(spool).rouse("prompt", "--id", "../x", "talk", "hello").code == 64)
    }

    @Test(arguments: [
        ["talk", "--agent", "a", "hello"], ["--wait", "talk", "--agent=a", "hello"], ["--key", "k", "talk", "--agent", "a"], ["-", "--agent", "a"],
    ])
    func aSessionAndAnAgentAreOneTooMany(words: [String]) {
        let answer = Shell(spool).rouse(["prompt"] + words, input: "text")
        #expect(answer.code == 64 && spool.names("inbox").isEmpty)
        #expect(answer.errors.contains("stands where a session is named"), "\(answer.errors)")
    }

    @Test(arguments: [["--agent", "a", "talk", "to", "me"], ["--key", "talk", "--json", "--agent", "a", "talk"], ["--agent", "a", "--", "--agent"], ["--agent", "a", "-"]])
    func withAnAgentAllWordsAreTheText(words: [String]) {
        let answer = Shell(spool).rouse(["prompt"] + words, input: "text")
        #expect(answer.code == 0 && spool.names("inbox").count == 1, "\(answer.errors)")
    }

    @Test func aNewSessionNeedsAnAgentOfThoseThatAreThere() {
        let none = Shell(spool).rouse("session", "open", "talk", "--no-wait")
        #expect(none.code == 64 && none.errors.contains("config/agents/NAME.json") && none.errors.contains("rouse session open talk --agent NAME"))
        spool.configure("agents/claude", #"{"driver": "command", "command": ["claude"]}"#)
        spool.configure("agents/codex", #"{"driver": "command", "command": ["codex"]}"#)
        spool.configure("agents/codex.error", "{}")
        let some = Shell(spool).rouse("session", "open", "talk", "--no-wait")
        #expect(some.code == 64 && some.errors.contains("rouse session open talk --agent claude") && some.errors.contains("defined: claude, codex\n"))
        #expect(spool.names("inbox").isEmpty)
        spool.configure("sessions/talk", #"{"agent": "claude"}"#)
        #expect(Shell(spool).rouse("session", "open", "talk", "--no-wait").code == 0)
    }

    @Test func aPromptThatIsTooLongIsToldWhatToDo() {
        for command in [["prompt", "talk"], ["drop"]] {
            let answer = Shell(spool).rouse(command, input: String(repeating: "x", count: Defaults.taskBytes + 1))
            #expect(answer.code == 65 && answer.errors.contains("too_large") && answer.errors.contains("resource_link"), "\(answer.errors)")
        }
    }
}
