import SpoolFormat
import Testing
import TestSupport

/// Every example task, run by a real daemon to the end that its name promises.
@Suite struct TaskTests {
    private struct Expectation {
        var outcome = "succeeded"
        var error: String?
        var attempts = 1
        var log: String?
        var output: JSON?
    }

    /// What comes of each of them, all dropped together into an empty spool.
    private static let expectations: [String: Expectation] = [
        "hello": Expectation(log: "Hello from Rouse!\n"),
        "build": Expectation(log: "built\n"),
        "run-array": Expectation(log: "no shell: $HOME stays as it is, \"quotes\" too\n"),
        "run-string": Expectation(log: "line 3\nline 2\nline 1\n"),
        "result-output": Expectation(output: ["tests": 42, "failures": 0]),
        "fails": Expectation(outcome: "failed", error: "exit_code", log: "this is attempt 1\n"),
        "queue": Expectation(),
        "priority-word": Expectation(),
        "priority-number": Expectation(),
        "key-drop": Expectation(),
        "key-replace": Expectation(),
        "key-queue": Expectation(),
        "after": Expectation(),
        "after-failed": Expectation(log: "however fails has ended\n"),
        "not-before": Expectation(),
        "delay": Expectation(),
        "expires-at": Expectation(),
        "expires-in": Expectation(),
        "timeout": Expectation(outcome: "timed_out", error: "timed_out"),
        "retries": Expectation(attempts: 3, log: "attempt 3\n"),
        "cwd": Expectation(log: "/tmp\n"),
        "env": Expectation(log: "Hello from Linux\n"),
        "stdin-text": Expectation(log: "3\n"),
        "stdin-file": Expectation(),
        "on-crash-rerun": Expectation(),
        "on-crash-fail": Expectation(),
        "reply-to": Expectation(),
        "limits": Expectation(log: "64\n524288\n"),
        "labels": Expectation(),
        "parent": Expectation(),
        "drops-another": Expectation(),
        "child": Expectation(log: "dropped by a job\n"),
        "tasks": Expectation(output: ["jobs": ["release-compile", "tasks.1", "tasks.2", "release-publish"]]),
        "release-compile": Expectation(log: "compile\n"),
        "tasks.1": Expectation(log: "test\n"),
        "tasks.2": Expectation(log: "package\n"),
        "release-publish": Expectation(log: "publish\n"),
    ]

    private static func isControl(_ name: String) -> Bool { name.contains("-by-") }

    /// The task as it stands there, but that its reply goes into the test's own directory.
    private static func text(_ name: String, in spool: TestSpool) throws -> String {
        let text = try Repository.text("examples/tasks/\(name).json")
        return text.split(separator: "/tmp/rouse-example-", omittingEmptySubsequences: false).joined(separator: spool.path + "/rouse-example-")
    }

    @Test func eachEndsAsItsNamePromises() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let names = try Repository.examples("tasks").filter { !Self.isControl($0) && !$0.hasPrefix(SessionTests.prefix) }
        let known = Set(Self.expectations.keys)
        #expect(Set(names).subtracting(known).isEmpty, "no expectation")
        for name in names { spool.drop(name + ".json", try Self.text(name, in: spool)) }
        for (name, expectation) in Self.expectations {
            let result = try #require(spool.finished(name), "\(name) did not end")
            #expect(result["outcome"]?.string == expectation.outcome, "\(name)")
            #expect(result["error"]?["code"]?.string == expectation.error, "\(name)")
            #expect(result["attempts"]?.int == expectation.attempts, "\(name)")
            if let log = expectation.log { #expect(spool.text(try #require(result["log"]?.string)) == log, "\(name)") }
            if let output = expectation.output { #expect(result["output"] == output, "\(name)") }
        }
        #expect(spool.json("rouse-example-reply.json") == spool.result(of: "reply-to"))
        #expect(spool.list("rejected").isEmpty && spool.list("inbox").isEmpty)
        #expect(spool.json("done/queue/task.json")?["queue"]?.string == "night")
        #expect(spool.json("done/priority-word/task.json")?["priority"]?.int == 100)
        #expect(spool.text("done/build/work/artifact") == "built\n")
        #expect(spool.list("done/retries/attempts") == ["1", "2"])

        // What failed is retried by moving it back.
        #expect(rename(spool, "failed/fails", "inbox/fails"))
        #expect(spool.reaches("done", "fails"))
        #expect(spool.text("done/fails/log") == "this is attempt 2\n")
        #expect(daemon.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    /// The second of two with a key, while the first one is unfinished.
    @Test func keysDoWhatTheirNamesSay() throws {
        let spool = TestSpool()
        spool.write("", to: spool.path + "/daemon/PAUSE")
        let daemon = TestDaemon(spool)
        for name in ["key-drop", "key-replace", "key-queue"] {
            spool.drop(name + ".json", try Self.text(name, in: spool))
            #expect(spool.reaches("queued", name))
            spool.drop(name + "-2.json", try Self.text(name, in: spool))
        }
        #expect(spool.finished("key-drop-2")?["error"]?["code"]?.string == "already_running")
        #expect(spool.finished("key-replace")?["outcome"]?.string == "superseded")
        #expect(spool.reaches("queued", "key-replace-2"))
        #expect(spool.reaches("waiting", "key-queue-2"))
        #expect(spool.json("waiting/key-queue-2/state.json")?["waits_for"] == ["key-queue"])
        Programs.run(["rm", spool.path + "/daemon/PAUSE"])
        for name in ["key-drop", "key-replace-2", "key-queue", "key-queue-2"] {
            #expect(spool.finished(name)?["outcome"]?.string == "succeeded", "\(name)")
        }
        #expect(daemon.stop() == 0)
    }

    /// The control verbs, one after another on the same job.
    @Test(arguments: ["id", "queue", "label"])
    func controlVerbsDoWhatTheirNamesSay(_ selector: String) throws {
        #expect(try Repository.examples("tasks").count(where: Self.isControl) == ControlVerb.allCases.count * 3)
        let spool = TestSpool()
        spool.configure("queues/reports", #"{"slots": 0}"#)
        let daemon = TestDaemon(spool)
        func act(_ verb: String, _ word: String) throws {
            let name = "\(verb)-by-\(selector)"
            spool.drop(name + ".json", try Self.text(name, in: spool))
            let result = try #require(spool.finished(name))
            #expect(result["outcome"]?.string == "succeeded", "\(name)")
            #expect(result["output"] == ["verb": .string(verb), "count": 1, "jobs": ["report": .string(word)]], "\(name)")
        }
        spool.drop("report", #"{"run": ["sleep", "600"], "queue": "reports", "labels": {"project": "reports", "branch": "main"}}"#)
        #expect(spool.reaches("queued", "report"))
        try act("hold", "held")
        #expect(spool.json("waiting/report/state.json")?["reason"]?.string == "hold")
        try act("release", "released")
        #expect(spool.reaches("queued", "report"))
        try act("cancel", "cancelled")
        #expect(spool.finished("report")?["outcome"]?.string == "cancelled")
        try act("retry", "retried")
        #expect(spool.reaches("queued", "report"))
        spool.configure("queues/reports", #"{"slots": 1}"#)
        #expect(spool.reaches("running", "report"))
        try act("recover", "recovering")
        #expect(spool.wait { spool.json("running/report/run.json")?["attempt"]?.int == 2 })
        #expect(Programs.rouse(["cancel", "report"], on: spool).code == 0)
        let result = try #require(spool.finished("report"))
        #expect(result["outcome"]?.string == "cancelled")
        #expect(result["attempts"]?.int == 2)
        #expect(daemon.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    private func rename(_ spool: TestSpool, _ from: String, _ to: String) -> Bool {
        Programs.run(["mv", spool.path + "/" + from, spool.path + "/" + to]).code == 0
    }
}
