import Glibc
import SpoolFormat
import TestSupport
import Testing

@Suite struct ShowTests {
    let spool = TestSpool()

    @Test func aFinishedJobIsToldInFull() throws {
        let job = spool.make(
            "x", .failed, run: ["make", "test"], result: spool.result("x", .failed, exitCode: 2, error: ErrorRecord("exit_code", "exited with code 2", retryable: true), attempts: 2),
            log: (1...20).map { "line \($0)\n" }.joined(), attempt: 2)
        mkdir(job + "/attempts", 0o700)
        mkdir(job + "/attempts/1", 0o700)
        spool.put(ExitRecord(
            attempt: 1, cause: .timeout, startedAt: TestSpool.noon, finishedAt: TestSpool.noon, durationMilliseconds: 1500).json,
            job + "/attempts/1/exit.json")
        let answer = Shell(spool).rouse("show", "x")
        #expect(answer.code == 0)
        for words in ["failed with exit code 2 after 4.0s", "exit_code: exited with code 2 (worth another try)", "make test", "timed out", "line 20", "line 11", "\"timeout\": \"1h\""] {
            #expect(answer.output.contains(words), "\(words)")
        }
        #expect(!answer.output.contains("line 10\n"))
        let json = try #require(Shell(spool).rouse("show", "x", "--json").json)
        #expect(json["state"] == "failed" && json["attempts"]?.array?.count == 2 && json["result"]?["exit_code"] == 2)
        #expect(json["task"]?["run"] == ["make", "test"])
        #expect(Shell(spool).rouse("show", spool.path + "/failed/x/").code == 0)
    }

    @Test func whyTheLastAttemptFailedIsToldWhereAnotherFollows() throws {
        let job = spool.make("x", .waiting, waiting: StateRecord(reason: .backoff, until: Timestamp("2100-01-01T00:00:00Z"), attempts: 2))
        mkdir(job + "/attempts", 0o700)
        for (number, cause) in [(1, ExitRecord.Cause.timeout), (2, .exited)] {
            mkdir("\(job)/attempts/\(number)", 0o700)
            var exit = ExitRecord(attempt: number, cause: cause, startedAt: TestSpool.noon, finishedAt: TestSpool.noon, durationMilliseconds: 5)
            exit.exitCode = 7
            spool.put(exit.json, "\(job)/attempts/\(number)/exit.json")
        }
        #expect(Shell(spool).rouse("show", "x").output.contains("attempt 2  exit code 7\n"))
        // What an agent says is more than its exit code.
        let error = ErrorRecord("overloaded", "the model is busy\nvery busy", retryable: true)
        spool.put(ReplyRecord(text: "", stopReason: "failed", error: error).json, job + "/attempts/2/reply.json")
        #expect(Shell(spool).rouse("show", "x").output.contains("attempt 2  overloaded: the model is busy\n             very busy (worth another try)\n"))
    }

    @Test(arguments: [
        (StateRecord(reason: .after, waitsFor: ["a", "b"], missing: ["b"]), "no job is known by b"),
        (StateRecord(reason: .hold, isHeld: true, heldBy: "hold-1"), "held by hold-1"),
        (StateRecord(reason: .backoff, until: Timestamp("2100-01-01T00:00:00Z"), attempts: 1), "until"),
    ])
    func whyAJobWaitsIsTold(state: StateRecord, words: String) {
        spool.make("x", .waiting, waiting: state)
        #expect(Shell(spool).rouse("show", "x").output.contains(words))
    }

    @Test func whatBecameOfANameIsTold() {
        spool.make("x", .done, result: spool.result("x", .succeeded))
        spool.make("x-06ap3hkw2c", .queued, sequence: 2)
        #expect(Shell(spool).rouse("show", "x").output.contains("is called x-06ap3hkw2c"))
        let waited = Shell(spool).rouse("wait", "x")
        #expect(waited.code == 0 && waited.errors.contains("is called x-06ap3hkw2c"))
        spool.make("y-06ap3hkw2d", .queued, sequence: 3)
        for command in ["show", "wait"] {
            let answer = Shell(spool).rouse(command, "y")
            #expect(answer.code == 66 && answer.errors.contains("y.json was dropped when the name was in use, and is called y-06ap3hkw2d"))
        }
        spool.write("{\"id\":\"a\"}\n{\"id\":\"old\",\"outcome\":\"succeeded\"}\n", to: spool.path + "/archive/2026-03-01.jsonl")
        let old = Shell(spool).rouse("show", "old")
        #expect(old.code == 66 && old.errors.contains("line 2 of \(spool.path)/archive/2026-03-01.jsonl"))
    }

    @Test func aJobThatWaitsBecauseOfThePauseSaysSo() {
        spool.make("x", .queued)
        spool.make("y", .done, sequence: 2, result: spool.result("y", .succeeded))
        for command in [["show", "x"], ["list"]] { #expect(!Shell(spool).rouse(command).output.contains("PAUSE")) }
        spool.write("", to: spool.path + "/daemon/PAUSE")
        for command in [["show", "x"], ["list"]] { #expect(Shell(spool).rouse(command).output.contains("rm \(spool.path)/daemon/PAUSE")) }
        #expect(!Shell(spool).rouse("show", "y").output.contains("PAUSE"))
        #expect(Shell(spool).rouse("wait", "x", "--timeout", "1ms").errors.contains("daemon/PAUSE is there"))
        #expect(!Shell(spool).rouse("wait", "y").errors.contains("PAUSE"))
    }

    @Test func unknownAndRejectedJobs() {
        spool.make("build-1")
        let answer = Shell(spool).rouse("show", "biuld-1")
        #expect(answer.code == 66 && answer.errors.contains("did you mean build-1?"))
        #expect(Shell(spool).rouse("show", "no/such").code == 66)
        #expect(Shell(spool).rouse("show", "-", "x").code == 64)
        #expect(Shell(spool).rouse("show", "a b").code == 64)
        spool.write("{", to: spool.path + "/rejected/r.json")
        spool.put(RejectionRecord(code: "unexpected_end", message: "the file ends", file: "r.json").json, spool.path + "/rejected/r.error.json")
        let rejected = Shell(spool).rouse("show", "r")
        #expect(rejected.code == 65 && rejected.errors.contains("the file ends"))
    }
}

@Suite struct LogTests {
    let spool = TestSpool()

    private func attempts() -> String {
        let job = spool.make("x", .done, result: spool.result("x", .succeeded, attempts: 2), log: "second 1\nsecond 2\nsecond 3", attempt: 2)
        mkdir(job + "/attempts", 0o700)
        mkdir(job + "/attempts/1", 0o700)
        spool.write("first\n", to: job + "/attempts/1/log")
        return job
    }

    @Test func theLastAttemptOrTheOneAskedFor() {
        _ = attempts()
        #expect(Shell(spool).rouse("log", "x").output == "second 1\nsecond 2\nsecond 3")
        #expect(Shell(spool).rouse("log", "x", "--attempt", "1").output == "first\n")
        #expect(Shell(spool).rouse("log", "x", "--attempt", "2").output.hasPrefix("second 1"))
        let missing = Shell(spool).rouse("log", "x", "--attempt", "3")
        #expect(missing.code == 66 && missing.errors.contains("1, 2"))
        #expect(Shell(spool).rouse("log", "x", "--tail", "2").output == "second 2\nsecond 3")
        #expect(Shell(spool).rouse("log", "x", "--tail", "0").output.isEmpty)
        #expect(Shell(spool).rouse("log", "x", "--tail", "9").output.hasPrefix("second 1"))
        #expect(Shell(spool).rouse("log", "y").code == 66)
        #expect(Shell(spool).rouse("log", "-f", "x").output == "first\nsecond 1\nsecond 2\nsecond 3")
        #expect(Shell(spool).rouse("log", "-f", "--tail", "1", "x").output == "second 3")
    }

    @Test func bytesAreLeftAsTheyCame() {
        spool.make("x", .done, result: spool.result("x", .succeeded), attempt: 1)
        let bytes = (0...255).map { UInt8($0) }
        try? Directory(spool.path + "/done/x").write(bytes, to: "log")
        #expect(Shell(spool).rouse("log", "x").bytes == bytes)
    }

    @Test func aLogWithAHoleSaysWhatIsLeftOut() {
        spool.make("x", .running, log: "head\n", attempt: 1)
        let file = open(spool.path + "/running/x/log", O_WRONLY)
        pwrite(file, "tail\n", 5, 1 << 20)
        close(file)
        let output = Shell(spool).rouse("log", "x").output
        #expect(output.hasPrefix("head\n") && output.hasSuffix("bytes left out]\ntail\n") && output.utf8.count < 10_000)
    }

    /// What is printed is complete whenever the command looks: it is started before, between and after the changes.
    @Test(arguments: 0..<4) func followingGoesOnToTheEnd(startingAt moment: Int) {
        var running: Shell.Running?
        func start(_ now: Int) { if now == moment { running = Shell(spool).start(["log", "-f", "x"]) } }
        spool.write("{\"run\": \"x\"}", to: spool.path + "/inbox/x.json")
        start(0)
        spool.make("x", .queued)
        unlink(spool.path + "/inbox/x.json")
        start(1)
        spool.write("one\n", to: spool.path + "/queued/x/log")
        let task = TaskRecord(id: JobID("x")!, sequence: 1, verb: .run(["true"]), queue: "default", uid: 0, acceptedAt: TestSpool.noon, depth: 0, options: TaskOptions())
        spool.put(spool.run(task, attempt: 1).json, spool.path + "/queued/x/run.json")
        spool.move("queued/x", "running/x")
        start(2)
        spool.move("running/x", "waiting/x")
        mkdir(spool.path + "/waiting/x/attempts", 0o700)
        mkdir(spool.path + "/waiting/x/attempts/1", 0o700)
        for name in ["run.json", "log"] { spool.move("waiting/x/" + name, "waiting/x/attempts/1/" + name) }
        spool.put(spool.run(task, attempt: 2).json, spool.path + "/waiting/x/run.json")
        spool.move("waiting/x", "running/x")
        start(3)
        let log = open(spool.path + "/running/x/log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        write(log, "two\n", 4)
        write(log, "three\n", 6)
        close(log)
        spool.put(spool.result("x", .succeeded, attempts: 2).json, spool.path + "/running/x/result.json")
        spool.move("running/x", "done/x")
        let answer = running!.end()
        #expect(answer.code == 0 && answer.output == "one\ntwo\nthree\n", "\(answer.output) \(answer.errors)")
    }
}

@Suite struct WaitTests {
    let spool = TestSpool()

    @Test(arguments: [
        (Outcome.succeeded, 0, nil, 0), (.failed, 3, nil, 3), (.failed, nil, 9, 137), (.failed, nil, nil, 1), (.timedOut, nil, 9, 124),
        (.cancelled, nil, 15, 1), (.expired, nil, nil, 1), (.lost, nil, nil, 1), (.superseded, nil, nil, 1),
    ] as [(Outcome, Int?, Int?, Int)])
    func exitsAsTheJobDid(outcome: Outcome, exitCode: Int?, signal: Int?, expected: Int) {
        spool.make("x", outcome.state, result: spool.result("x", outcome, exitCode: exitCode, signal: signal))
        let answer = Shell(spool).rouse("wait", "x")
        #expect(answer.code == expected && answer.errors.contains("x "))
        #expect(Shell(spool).rouse("wait", "-q", "x").errors.isEmpty)
        #expect(Shell(spool).rouse("wait", "--json", "x").json?["outcome"]?.string == outcome.rawValue)
    }

    @Test func theFirstThatDidNotSucceedDecides() {
        spool.make("a", .done, result: spool.result("a", .succeeded))
        spool.make("b", .failed, sequence: 2, result: spool.result("b", .failed, exitCode: 4))
        spool.make("c", .failed, sequence: 3, result: spool.result("c", .failed, exitCode: 5))
        #expect(Shell(spool).rouse("wait", "a", "c", "b").code == 5)
        #expect(Shell(spool).rouse("wait", "a", "b", "c", "b").code == 4)
    }

    @Test func unknownJobsAreNotWaitedFor() {
        spool.make("known", .running, attempt: 1)
        #expect(Shell(spool).rouse("wait", "known", "unknown").code == 66)
        let answer = Shell(spool).rouse("wait", "--timeout", "20ms", "known")
        #expect(answer.code == 124 && answer.errors.contains("known was not finished in time"))
        #expect(Shell(spool).rouse("wait", "--timeout", "soon", "known").code == 64)
    }

    /// From the inbox to the end; wherever the job is when the command looks.
    @Test(arguments: 0..<4) func waitsThroughEveryState(startingAt moment: Int) {
        var running: Shell.Running?
        func start(_ now: Int) { if now == moment { running = Shell(spool).start(["wait", "x"]) } }
        mkdir(spool.path + "/inbox/q", 0o700)
        spool.write(#"{"run": "x"}"#, to: spool.path + "/inbox/q/x.json")
        start(0)
        mkdir(spool.path + "/.staging/x@q", 0o700)
        spool.move("inbox/q/x.json", ".staging/x@q/drop.json")
        start(1)
        spool.move(".staging/x@q", "queued/x")
        start(2)
        spool.move("queued/x", "running/x")
        start(3)
        spool.put(spool.result("x", .failed, exitCode: 7).json, spool.path + "/running/x/result.json")
        spool.move("running/x", "failed/x")
        let answer = running!.end()
        #expect(answer.code == 7, "\(answer.errors)")
    }

    @Test func aRejectedFileIsToldWithItsReason() {
        spool.write("{", to: spool.path + "/inbox/x.json")
        let lock = HeldLock(spool)
        let running = Shell(spool).start(["wait", "x"])
        spool.move("inbox/x.json", "rejected/x.json")
        spool.put(RejectionRecord(code: "unexpected_end", message: "the file ends too soon", file: "x.json").json, spool.path + "/rejected/.error.tmp")
        spool.move("rejected/.error.tmp", "rejected/x.error.json")
        let answer = running.end()
        #expect(answer.code == 65 && answer.errors.contains("the file ends too soon"), "\(answer.errors)")
        withExtendedLifetime(lock) {}
    }

    @Test func aJobThatIsTakenAwayIsGone() {
        spool.make("x", .queued)
        let lock = HeldLock(spool)
        let running = Shell(spool).start(["wait", "x"])
        spool.move("queued/x", "elsewhere")
        #expect(running.end().code == 66)
        withExtendedLifetime(lock) {}
    }

    @Test func aJobThatIsForgottenAlreadyStandsInTheArchive() {
        spool.make("x", .running, attempt: 1)
        let lock = HeldLock(spool)
        let running = Shell(spool).start(["wait", "x"])
        let line = JSONWriter.text(spool.result("x", .failed, exitCode: 6).json)
        spool.write(line + "\n", to: spool.path + "/archive/\(Timestamp.now.day).jsonl")
        spool.move("running/x", "elsewhere")
        let code = running.end().code
        // It may also have been looked for when it was gone.
        #expect(code == 6 || code == 66)
        withExtendedLifetime(lock) {}
    }
}
