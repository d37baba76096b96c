import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct ProcessTests {
    /// Runs a job to its end, stops the daemon, and makes sure that nothing of it is left.
    private func run(_ command: String, _ fields: String = "", check: (TestSpool, JSON) throws -> Void) throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let text = JSONWriter.text(.string(command))
        spool.drop("job", #"{"run": \#(text), "grace": "300ms"\#(fields)}"#)
        let result = try #require(spool.finished("job"))
        try check(spool, result)
        #expect(daemon.stop() == 0)
        #expect(spool.wait(seconds: 30) { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    @Test func grandchildrenThatIgnoreTermAreEnded() throws {
        try run("(trap '' TERM; sh -c \"trap '' TERM; while :; do sleep 1000; done\" & while :; do sleep 1000; done) & echo begun") { spool, result in
            #expect(result["outcome"]?.string == "succeeded")
            #expect(result["warnings"]?.array?.first?.string?.contains("left behind") == true)
            #expect(spool.text("done/job/log") == "begun\n")
        }
    }

    @Test func aTreeThatIgnoresTermIsEndedAtItsDeadline() throws {
        try run("trap '' TERM; (trap '' TERM; sleep 1000 & wait; sleep 1000) & wait; sleep 1000", #", "timeout": "300ms""#) { _, result in
            #expect(result["outcome"]?.string == "timed_out")
        }
    }

    @Test func aDoubleForkDoesNotEscape() throws {
        try run("(setsid sh -c '(trap \"\" TERM; exec sleep 1000) & exit' &) ; sleep 0.2; exit 0") { _, result in
            #expect(result["outcome"]?.string == "succeeded")
        }
    }

    @Test func aSessionOfItsOwnDoesNotEscape() throws {
        try run("setsid sleep 1000 </dev/null >/dev/null 2>&1 & setsid -f sleep 1000; exit 4") { _, result in
            #expect(result["exit_code"]?.int == 4)
        }
    }

    @Test func aCancelledTreeIsEndedWithAllItsSessions() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "setsid sh -c 'trap \"\" TERM; echo in; sleep 1000; sleep 1000' & sleep 1000", "grace": "200ms"}"#)
        #expect(spool.wait { spool.text("running/job/log") == "in\n" })
        spool.drop("stop", #"{"cancel": "job"}"#)
        #expect(spool.outcome("job") == "cancelled")
        #expect(daemon.stop() == 0)
        #expect(spool.wait(seconds: 30) { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    @Test func aProgramThatClosesItsOutputIsWaitedForAllTheSame() throws {
        try run("exec >&- 2>&- <&-; sleep 0.3; exit 5") { spool, result in
            #expect(result["exit_code"]?.int == 5)
            #expect(spool.text("failed/job/log") == "")
        }
    }

    @Test func ofALargeLogHeadAndTailAreKept() throws {
        try run("echo HEAD; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo TAIL", #", "limits": {"log_bytes": "64K"}"#) { spool, result in
            #expect(result["outcome"]?.string == "succeeded")
            let log = try #require(spool.text("done/job/log"))
            #expect(log.utf8.count < 70_000)
            #expect(log.hasPrefix("HEAD\nxxx"))
            #expect(log.hasSuffix("x\nTAIL\n"))
            #expect(result["warnings"]?.array?.first?.string?.contains("log was too long") == true)
        }
    }

    @Test func aChildThatHoldsTheLogDoesNotHoldUpTheEnd() throws {
        try run("(sleep 1000; echo late) & echo early") { spool, result in
            #expect(result["outcome"]?.string == "succeeded")
            #expect(spool.text("done/job/log") == "early\n")
            #expect((result["duration_ms"]?.int ?? 0) < 60_000)
        }
    }

    @Test(arguments: [SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, 35])
    func aSignalIsToldByItsNumber(_ signal: Int32) throws {
        try run("ulimit -c 0; kill -\(signal) $$") { _, result in
            #expect(result["outcome"]?.string == "failed")
            #expect(result["signal"]?.int == Int(signal))
            #expect(result["exit_code"] == nil)
            #expect(result["error"]?["code"]?.string == "signal")
        }
    }

    @Test(arguments: [0, 1, 2, 100, 126, 127, 128, 137, 143, 255])
    func anExitCodeIsTold(_ code: Int) throws {
        try run("exit \(code)") { _, result in
            #expect(result["exit_code"]?.int == code)
            #expect(result["signal"] == nil)
            #expect(result["outcome"]?.string == (code == 0 ? "succeeded" : "failed"))
        }
    }

    @Test func limitsHold() throws {
        try run("ulimit -n; ulimit -t; ulimit -v", #", "limits": {"open_files": 99, "cpu_seconds": 77, "memory": "512M"}"#) { spool, _ in
            #expect(spool.text("done/job/log") == "99\n77\n524288\n")
        }
    }
}
