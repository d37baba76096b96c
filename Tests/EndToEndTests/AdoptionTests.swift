import Glibc
import SpoolFormat
import Testing
import TestSupport

/// The daemon dies while a job runs; the job goes on, and its true end is told whenever the next daemon comes.
@Suite struct AdoptionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let command: String
        let fields: String
        let outcome: String
        let exitCode: Int?
        var testDescription: String { outcome }
    }

    static let cases = [
        Case(command: "; echo out; echo '{\\\"a\\\": 1}' > $ROUSE_RESULT", fields: "", outcome: "succeeded", exitCode: 0),
        Case(command: "; exit 42", fields: "", outcome: "failed", exitCode: 42),
        Case(command: "; kill -9 $$", fields: "", outcome: "failed", exitCode: nil),
        Case(command: "; sleep 1000", fields: #", "timeout": "1s", "grace": "1s""#, outcome: "timed_out", exitCode: nil),
    ]

    private func check(_ spool: TestSpool, _ test: Case) throws {
        let result = try #require(spool.finished("job"))
        #expect(result["outcome"]?.string == test.outcome)
        #expect(result["exit_code"]?.int == test.exitCode)
        #expect(result["attempts"]?.int == 1)
        if test.outcome == "succeeded" { #expect(result["output"] == ["a": 1]) }
        #expect(spool.started == ["job"])
    }

    @Test(arguments: cases) func aJobThatEndsBeforeTheNextDaemonHasItsTrueResult(_ test: Case) throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let first = TestDaemon(spool)
        spool.drop("job", #"{"run": "\#(gate.wait)\#(test.command)"\#(test.fields)}"#)
        #expect(spool.tells("started", of: "job"))
        first.kill9()
        gate.open()
        #expect(spool.wait { spool.exists("running/job/exit.json") })
        let second = TestDaemon(spool)
        try check(spool, test)
        #expect(second.stop() == 0)
        #expect(spool.wait(seconds: 30) { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    @Test(arguments: cases) func aJobThatEndsUnderTheNextDaemonHasItsTrueResult(_ test: Case) throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let first = TestDaemon(spool)
        let fields = test.fields.replacing("\"timeout\": \"1s\"", with: "\"timeout\": \"8s\"")
        spool.drop("job", #"{"run": "\#(gate.wait)\#(test.command)"\#(fields)}"#)
        #expect(spool.tells("started", of: "job"))
        first.kill9()
        let second = TestDaemon(spool)
        #expect(spool.tells("adopted", of: "job"))
        #expect(spool.exists("running/job"))
        gate.open()
        try check(spool, test)
        #expect(second.stop() == 0)
        #expect(spool.wait(seconds: 30) { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    @Test func anAdoptedJobIsCancelledLikeEveryOther() throws {
        let spool = TestSpool()
        let first = TestDaemon(spool)
        spool.drop("job", #"{"run": ["sleep", "1000"]}"#)
        #expect(spool.tells("started", of: "job"))
        first.kill9()
        // The wish may even come while nobody serves.
        spool.drop("stop", #"{"cancel": "job"}"#)
        let second = TestDaemon(spool)
        #expect(spool.outcome("job") == "cancelled")
        #expect(spool.outcome("stop") == "succeeded")
        #expect(second.stop() == 0)
        #expect(spool.wait(seconds: 30) { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    @Test func anAdoptedJobTakesItsSlot() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 1}"#)
        let gate = Gate(spool)
        let first = TestDaemon(spool)
        spool.drop("one", #"{"run": "\#(gate.wait)"}"#)
        #expect(spool.tells("started", of: "one"))
        first.kill9()
        let second = TestDaemon(spool)
        spool.drop("two", #"{"run": ["true"]}"#)
        #expect(spool.tells("adopted", of: "one"))
        #expect(spool.reaches("queued", "two"))
        gate.open()
        #expect(spool.outcome("one") == "succeeded")
        #expect(spool.outcome("two") == "succeeded")
        #expect(second.stop() == 0)
    }

    @Test func aJobOutlivesManyDaemons() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        for index in 0..<5 {
            let daemon = TestDaemon(spool)
            if index == 0 { spool.drop("job", #"{"run": "echo begun; \#(gate.wait); echo end", "on_crash": "fail"}"#) }
            if index > 0 { #expect(spool.tells("adopted", of: "job", times: index)) }
            #expect(spool.wait(seconds: 30) { spool.text("running/job/log") == "begun\n" })
            daemon.kill9()
        }
        let daemon = TestDaemon(spool)
        gate.open()
        #expect(spool.outcome("job") == "succeeded")
        #expect(spool.text("done/job/log") == "begun\nend\n")
        #expect(daemon.stop() == 0)
    }

    @Test func aJobWhoseRunnerAndDaemonAreGoneIsLost() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("once", #"{"run": "echo $ROUSE_ATTEMPT; exec sleep 1000", "on_crash": "fail"}"#)
        spool.drop("again", #"{"run": "echo $ROUSE_ATTEMPT; [ $ROUSE_ATTEMPT = 2 ] || exec sleep 1000"}"#)
        #expect(spool.wait { spool.text("running/once/log") == "1\n" && spool.text("running/again/log") == "1\n" })
        daemon.kill9()
        Programs.endAll(ofSpool: spool.path)
        let next = TestDaemon(spool)
        #expect(spool.outcome("once") == "lost")
        #expect(spool.outcome("again") == "succeeded")
        #expect(next.stop() == 0)
        #expect(Programs.processes(ofSpool: spool.path).isEmpty)
    }
}
