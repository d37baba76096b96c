import Glibc
import JobIndex
import SpoolFormat
import TestSupport
import Testing

@Suite struct ListTests {
    let spool = TestSpool()

    /// One job of each kind.
    private func fill() {
        var options = TaskOptions()
        options.labels = ["team": "a", "quo\"te": "b\nc"]
        options.key = "k\u{1}"
        spool.make("held", .waiting, sequence: 3, options, waiting: StateRecord(reason: .hold, isHeld: true))
        options = TaskOptions()
        options.queue = "night"
        options.priority = 50
        options.after = [.name("held")]
        spool.make("later", .waiting, sequence: 4, options, waiting: StateRecord(reason: .after, waitsFor: ["held"]))
        spool.make("next", .queued, sequence: 5, run: ["printf", "größer\u{1B}[31m"])
        spool.make("live", .running, sequence: 6, log: "", attempt: 2)
        spool.make("good", .done, sequence: 1, result: spool.result("good", .succeeded, exitCode: 0))
        spool.make("bad", .failed, sequence: 2, result: spool.result("bad", .failed, exitCode: 2, error: ErrorRecord("exit_code", "exited with code 2")))
        spool.make("killed", .failed, sequence: 7, result: spool.result("killed", .failed, signal: 11, error: ErrorRecord("signal", "ended")))
        spool.make("slow", .failed, sequence: 8, result: spool.result("slow", .timedOut, error: ErrorRecord("timed_out", "too long")))
    }

    private func ids(_ arguments: String...) -> [String] {
        let answer = Shell(spool).rouse(["list", "--json"] + arguments)
        #expect(answer.code == 0 && answer.errors.isEmpty, "\(answer.errors)")
        return answer.json?.array?.compactMap { $0["id"]?.string } ?? []
    }

    private func index() { #expect(Shell(spool).rouse("reindex").code == 0) }

    @Test func jsonHasAllInTheOrderOfAcceptance() throws {
        fill()
        let rows = try #require(Shell(spool).rouse("list", "--json").json?.array)
        #expect(rows.compactMap { $0["id"]?.string } == ["good", "bad", "held", "later", "next", "live", "killed", "slow"])
        #expect(rows[0] == [
            "id": "good", "state": "done", "verb": "run", "queue": "default", "priority": 0, "attempts": 1,
            "queued_at": "2026-03-01T12:00:00.000Z", "started_at": "2026-03-01T12:00:01.000Z",
            "finished_at": "2026-03-01T12:00:05.000Z", "duration_ms": 4000, "outcome": "succeeded", "exit_code": 0,
            "summary": "true",
        ])
        #expect(rows[1]["error"] == ["code": "exit_code", "message": "exited with code 2"])
        #expect(rows[2]["labels"] == ["team": "a", "quo\"te": "b\nc"] && rows[2]["key"] == "k\u{1}" && rows[2]["reason"] == "hold")
        #expect(rows[5]["attempts"] == 2 && rows[5]["started_at"] != nil && rows[5]["finished_at"] == nil)
        #expect(rows[6]["signal"] == 11)
    }

    @Test func theIndexAndTheFilesGiveTheSame() {
        fill()
        let files = Shell(spool).rouse("list", "--json").output
        let table = Shell(spool).rouse("list", "--all").output
        index()
        #expect(Shell(spool).rouse("list", "--json").output == files)
        #expect(Shell(spool).rouse("list", "--all").output == table)
        for filter in [["--state", "failed"], ["--queue", "night"], ["--label", "team=a"], ["--limit", "3"], ["--outcome", "timed_out"]] {
            let indexed = Shell(spool).rouse(["list", "--json"] + filter).output
            spool.move("index.sqlite", "aside")
            #expect(Shell(spool).rouse(["list", "--json"] + filter).output == indexed)
            spool.move("aside", "index.sqlite")
        }
    }

    @Test(arguments: [false, true]) func filtersChoose(indexed: Bool) {
        fill()
        if indexed { index() }
        #expect(ids("--state", "waiting") == ["held", "later"])
        #expect(ids("--state", "waiting", "--state", "queued") == ["held", "later", "next"])
        #expect(ids("--queue", "night") == ["later"])
        #expect(ids("--label", "team=a") == ["held"])
        #expect(ids("--label", "team=b").isEmpty)
        #expect(ids("--outcome", "failed") == ["bad", "killed"])
        #expect(ids("--limit", "2") == ["killed", "slow"])
        #expect(ids("--limit", "0").isEmpty)
    }

    @Test func theTableIsForPeople() {
        fill()
        let answer = Shell(spool).rouse("list")
        #expect(answer.lines.first?.hasPrefix("ID") == true && answer.lines.count == 9)
        #expect(!answer.output.contains("\u{1B}"), "nothing that steers the terminal comes through, and no colours without one")
        #expect(answer.output.contains("after held") && answer.output.contains("held") && answer.output.contains("timed out"))
        #expect(answer.output.contains("failed by SIGSEGV") && answer.output.contains("failed with exit code 2"))
    }

    @Test func ofFinishedJobsTheLastAreShown() {
        for number in 1...25 {
            spool.make("j\(number)", .done, sequence: Int64(number), result: spool.result("j\(number)", .succeeded))
        }
        spool.make("wait", .queued, sequence: 26)
        #expect(Shell(spool).rouse("list").lines.dropFirst().map { $0.prefix { $0 != " " } }.first == "j6")
        #expect(Shell(spool).rouse("list").lines.count == 22)
        #expect(Shell(spool).rouse("list", "--all").lines.count == 27)
        #expect(Shell(spool).rouse("list", "--state", "done").lines.count == 26)
    }

    @Test func whatIsInTheInboxIsMentioned() {
        #expect(Shell(spool).rouse("list").output == "no jobs\n")
        mkdir(spool.path + "/inbox/q", 0o700)
        for name in ["a.json", "q/b.json", ".c.tmp", "d.part", "e~", "#f"] { spool.write("{}", to: spool.path + "/inbox/" + name) }
        let answer = Shell(spool).rouse("list")
        #expect(answer.output.contains("2 files in inbox/ not yet taken in") && answer.output.contains("no daemon is running"))
        let lock = HeldLock(spool)
        #expect(!Shell(spool).rouse("list").output.contains("no daemon"))
        withExtendedLifetime(lock) {}
    }

    @Test func damageIsToldAndTheRestListed() {
        fill()
        spool.write("{", to: spool.path + "/done/good/task.json")
        mkdir(spool.path + "/done/empty", 0o700)
        symlink("/etc", spool.path + "/done/link")
        let answer = Shell(spool).rouse("list", "--json")
        #expect(answer.code == 0 && answer.errors.contains("done/good/task.json"))
        #expect(answer.json?.array?.count == 7)
        spool.write("no database, but long enough to be one", to: spool.path + "/index.sqlite")
        let second = Shell(spool).rouse("list", "--json")
        #expect(second.code == 0 && second.errors.contains("index.sqlite") && second.json?.array?.count == 7)
    }

    @Test(arguments: [["--state", "sleeping"], ["--limit", "-1"], ["--label", "x"], ["--outcome", "great"], ["stray"]])
    func badOptionsAreFaultsOfUsage(arguments: [String]) {
        #expect(Shell(spool).rouse(["list"] + arguments).code == 64)
    }
}

@Suite struct ReindexTests {
    let spool = TestSpool()

    @Test func theIndexIsBuiltFromTheFiles() throws {
        for number in 1...30 { spool.make("j\(number)", .queued, sequence: Int64(number)) }
        spool.write("rubbish", to: spool.path + "/index.sqlite")
        spool.write("rubbish", to: spool.path + "/index.sqlite-wal")
        let answer = Shell(spool).rouse("reindex")
        #expect(answer.code == 0 && answer.output == "30 jobs in the index\n")
        #expect(spool.names(".").filter { $0.hasPrefix("index") } == ["index.sqlite"])
        #expect(try JobReader(path: spool.path + "/index.sqlite").list(JobFilter()).count == 30)
    }

    @Test func whatIsDamagedIsToldAndLeftOut() {
        spool.make("good")
        spool.write("[]", to: spool.make("bad", sequence: 2) + "/task.json")
        let answer = Shell(spool).rouse("reindex")
        #expect(answer.code == 0 && answer.errors.contains("queued/bad/task.json") && answer.output.contains("1 could not be read"))
    }

    @Test func notWhileADaemonHasTheSpool() {
        let lock = HeldLock(spool)
        let answer = Shell(spool).rouse("reindex")
        #expect(answer.code == 75 && answer.errors.contains("stop it first"))
        #expect(!spool.exists("index.sqlite"))
        withExtendedLifetime(lock) {}
    }
}
