import Glibc
import SpoolFormat
import TestSupport
import Testing

@Suite struct ControlTests {
    let spool = TestSpool()
    static let verbs = ["cancel", "retry", "recover", "hold", "release"]

    @Test(arguments: verbs) func withoutADaemonItIsRefused(verb: String) {
        spool.make("x")
        let answer = Shell(spool).rouse(verb, "x")
        #expect(answer.code == 69 && answer.errors.contains("rouse serve"))
        #expect(spool.names("inbox").isEmpty)
    }

    @Test(arguments: verbs) func theTaskCanBeLeftInTheInbox(verb: String) throws {
        spool.make("x")
        spool.make("y", sequence: 2)
        #expect(Shell(spool).rouse(verb, "x", "y", "--no-wait").code == 0)
        let names = spool.names("inbox")
        #expect(names.count == 2 && names.allSatisfy { $0.hasPrefix(verb + "-") })
        #expect(spool.object("inbox/" + names[0]) == [verb: "x"])
        #expect(Shell(spool).rouse(verb, "--queue", "night", "--no-wait", "--json").json?["id"]?.string?.hasPrefix(verb) == true)
        #expect(Shell(spool).rouse(verb, "--label", "a=b", "--label", "c=d", "--no-wait").code == 0)
        for name in spool.names("inbox") {
            let task = try TaskReader.read(try JSONReader.read(try #require(spool.text("inbox/" + name))))
            guard case .control(let read, _) = task.verb else { Issue.record("\(task.verb)"); continue }
            #expect(read.rawValue == verb)
        }
    }

    /// More than a process may have open.
    @Test(arguments: [[], ["--no-wait"]]) func anyNumberIsActedOn(more: [String]) {
        let ids = (100..<300).map { "j\($0)" }
        for (number, id) in ids.enumerated() {
            spool.make(id, .waiting, sequence: Int64(number + 1), waiting: StateRecord(reason: .hold, isHeld: true))
        }
        let daemon = TestDaemon(spool)
        let answer = Shell(spool, environment: ["ROUSE_PATIENCE": "120s"]).rouse(["cancel"] + ids + more, mostOpen: 64)
        #expect(answer.code == 0 && answer.lines.count == ids.count && answer.errors.isEmpty, "\(answer.errors.prefix(2000))")
        #expect(spool.wait { ids.allSatisfy { spool.result(of: $0)?["outcome"] == "cancelled" } })
        #expect(daemon.stop() == 0)
    }

    @Test func jobsThatAreNotThereAreTold() {
        let lock = HeldLock(spool)
        #expect(Shell(spool).rouse("cancel", "x").code == 66)
        #expect(Shell(spool).rouse("cancel", "x", "--no-wait").code == 66)
        #expect(spool.names("inbox").isEmpty)
        withExtendedLifetime(lock) {}
    }

    @Test func whatWasRejectedIsDroppedAgain() {
        spool.write("{", to: spool.path + "/rejected/r.json")
        spool.put(RejectionRecord(code: "unexpected_end", message: "the file ends", file: "r.json").json, spool.path + "/rejected/r.error.json")
        for verb in ["cancel", "retry"] {
            let answer = Shell(spool).rouse(verb, "r", "--no-wait")
            #expect(answer.code == 65 && answer.errors.contains("the file ends") && answer.errors.contains("mv \(spool.path)/rejected/r.json"))
        }
        #expect(spool.names("inbox").isEmpty)
    }

    @Test(arguments: [[], ["x", "--queue", "q"], ["--label", "a"], ["--queue", "a/b"], ["--queue", "q", "--label", "a=b"]])
    func whatToActOnIsSaidOnce(arguments: [String]) {
        spool.make("x")
        #expect(Shell(spool).rouse(["cancel"] + arguments).code == 64)
    }

    @Test func whatCameOfItIsTold() {
        let daemon = TestDaemon(spool)
        #expect(Shell(spool).rouse("drop", "--id", "x", "--delay", "1h", "--label", "a=b", "--", "true").code == 0)
        let held = Shell(spool).rouse("hold", "x")
        #expect(held.code == 0 && held.output == "x: held\n", "\(held.errors)")
        #expect(Shell(spool).rouse("release", "--label", "a=b").output == "x: released\n")
        #expect(Shell(spool).rouse("cancel", "--json", "x").json?["output"]?["jobs"] == ["x": "cancelled"])
        let again = Shell(spool).rouse("cancel", "x")
        #expect(again.code == 1 && again.errors.contains("it is finished"))
        let nothing = Shell(spool).rouse("hold", "--queue", "defualt")
        #expect(nothing.code == 0 && nothing.output == "no job in the queue defualt is one to hold; nothing was done: there is no such queue; did you mean default?\n")
        #expect(Shell(spool).rouse("retry", "--label", "a=c").output == "no job with this label is one to retry; nothing was done\n")
        withExtendedLifetime(daemon) {}
    }
}

@Suite struct StatusTests {
    let spool = TestSpool()

    @Test func countsAndSwitchesAreShown() throws {
        spool.make("a", .queued)
        spool.make("b", .waiting, sequence: 2, waiting: StateRecord(reason: .hold, isHeld: true))
        var options = TaskOptions()
        options.queue = "night"
        spool.make("c", .failed, sequence: 3, options, result: spool.result("c", .lost))
        spool.write("", to: spool.path + "/daemon/PAUSE")
        spool.write("{}", to: spool.path + "/inbox/d.json")
        spool.write("{", to: spool.path + "/rejected/e.json")
        spool.write("{}", to: spool.path + "/rejected/e.error.json")
        let json = try #require(Shell(spool).rouse("status", "--json").json)
        #expect(json["daemon"]?["running"] == false && json["paused"] == true && json["inbox"] == 1 && json["rejected"] == 1)
        #expect(json["held"] == 1 && json["jobs"]?["queued"] == 1 && json["queues"]?["night"]?["failed"] == 1)
        #expect(json["disk"]?["free_bytes"]?.int ?? 0 > 0)
        let text = Shell(spool).rouse("status").output
        #expect(text.contains("not running") && text.contains("PAUSE") && text.contains("night"))
        #expect(Shell(spool).rouse("reindex").code == 0)
        #expect(Shell(spool).rouse("status", "--json").json?["jobs"] == json["jobs"])
    }

    @Test func theLockDecidesAndTheFileInforms() {
        spool.write(#"{"pid": 42, "version": "9.9", "started_at": "2026-03-01T12:00:00.000Z"}"#, to: spool.path + "/daemon/daemon.json")
        #expect(Shell(spool).rouse("status").output.contains("not running"))
        let lock = HeldLock(spool)
        let text = Shell(spool).rouse("status").output
        #expect(text.contains("pid 42") && text.contains("version 9.9"))
        #expect(Shell(spool).rouse("status", "--json").json?["daemon"]?["running"] == true)
        withExtendedLifetime(lock) {}
    }
}

@Suite struct DoctorTests {
    let spool = TestSpool()

    private func grade(_ subject: String) -> String? { finding(subject)?["grade"]?.string }

    private func finding(_ subject: String) -> JSON? {
        Shell(spool).rouse("doctor", "--json").json?.array?.first { $0["subject"]?.string == subject }
    }

    @Test func aSoundSpoolIsSound() {
        chmod(spool.path, 0o700)
        let answer = Shell(spool).rouse("doctor")
        #expect(answer.code == 0, "\(answer.output)")
        for words in ["libinotifytools", "SQLite", "file system", "open files", "inotify", "runner"] { #expect(answer.output.contains(words)) }
        #expect(grade("daemon") == "warn" && grade("mode") == "ok")
    }

    @Test func openPermissionsFail() {
        chmod(spool.path, 0o777)
        #expect(grade("mode") == "fail" && Shell(spool).rouse("doctor").code == 1)
        chmod(spool.path, 0o750)
        #expect(grade("mode") == "warn")
        chmod(spool.path + "/inbox", 0o777)
        #expect(grade("inbox") == "fail")
    }

    @Test func whatIsMissingOrLeftOverIsTold() {
        rmdir(spool.path + "/waiting")
        mkdir(spool.path + "/.staging/x", 0o700)
        spool.write("{}", to: spool.path + "/daemon/daemon.json")
        spool.write("", to: spool.path + "/daemon/PAUSE")
        #expect(grade("spool") == "warn" && grade("staging") == "warn" && grade("paused") == "warn" && grade("lock") == "ok")
    }

    @Test func aDamagedIndexFails() {
        spool.write(String(repeating: "rubbish", count: 1000), to: spool.path + "/index.sqlite")
        #expect(grade("index") == "fail")
    }

    @Test func faultsOfTheConfigurationAreToldWithTheirPlace() {
        spool.write("{\n  \"slotz\": 1\n}", to: spool.path + "/config/queues/q.json")
        #expect(finding("config")?["message"]?.string?.contains("config/queues/q.json:2:3:") == true)
        spool.write("{\n  \"slots\": 1\n}", to: spool.path + "/config/queues/q.json")
        #expect(grade("config") == "ok")
        chmod(spool.path + "/config/queues/q.json", 0o666)
        #expect(grade("config") == "fail")
    }

    @Test func theConfigurationIsReadAsTheDaemonReadsIt() {
        spool.write(#"{"cron": "0 0 * * *", "timezone": "Mars/Olympus", "task": {"run": ["true"]}}"#, to: spool.path + "/config/schedules/s.json")
        #expect(finding("config")?["message"]?.string?.contains("Mars/Olympus") == true)
        let lines = Shell(spool).rouse("doctor").lines
        let first = lines.firstIndex { $0.contains("config/schedules/s.json:1:") }
        #expect(first.map { lines[$0 + 2].hasPrefix("        field: timezone") } == true, "\(lines)")
        #expect(!lines.contains { $0.contains("\u{FFFD}") })
        unlink(spool.path + "/config/schedules/s.json")
        symlink("/etc/hostname", spool.path + "/config/queues/link.json")
        #expect(finding("config")?["message"]?.string == "config/queues/link.json is a symbolic link, so it is refused")
        unlink(spool.path + "/config/queues/link.json")
        spool.write("{}", to: spool.path + "/config/queues/a b.json")
        #expect(grade("config") == "warn")
        unlink(spool.path + "/config/queues/a b.json")
        chmod(spool.path + "/config/queues", 0o770)
        #expect(grade("config") == "fail")
    }

    @Test func whatKeepsADirectoryInGitIsNothingForeign() {
        for name in SpoolLayout.directories { spool.write("", to: "\(spool.path)/\(name)/.gitkeep") }
        #expect(finding("staging")?["message"] == "empty" && grade("config") == "ok")
        #expect(Shell(spool).rouse("status", "--json").json?["rejected"] == 0)
    }

    @Test func whatTheDaemonCantDoIsTold() {
        spool.write(#"{"pid": 42, "fault": "cannot write spool/queued: No space left on device"}"#, to: spool.path + "/daemon/daemon.json")
        // It is of a daemon that is gone.
        #expect(finding("fault") == nil)
        let lock = HeldLock(spool)
        #expect(grade("fault") == "fail" && finding("fault")?["message"]?.string?.contains("No space left on device") == true)
        withExtendedLifetime(lock) {}
    }

    @Test func aMissingRunnerFails() {
        let answer = Shell(spool, environment: ["ROUSE_RUNNER": "/nowhere/rouse-runner"]).rouse("doctor")
        #expect(answer.code == 1 && answer.output.contains("/nowhere/rouse-runner is missing"))
    }
}
