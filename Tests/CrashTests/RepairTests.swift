import Glibc
import JobIndex
import SpoolFormat
import Testing
import TestSupport

/// Spools as a daemon that was stopped at that very point leaves them, made by hand.
@Suite struct RepairTests {
    private let scenario = Scenario()
    private var spool: TestSpool { scenario.spool }
    private var path: String { spool.path }

    private func make(_ directory: String) { mkdir("\(path)/\(directory)", 0o700) }
    private func write(_ name: String, _ text: String) { spool.write(text, to: "\(path)/\(name)") }
    private var mark: String { #"mkdir \"\#(scenario.marks.path)/$ROUSE_JOB_ID.$ROUSE_ATTEMPT\""# }
    private func task(_ id: String, _ options: String = "", sequence: Int = 1) -> String {
        #"{"id": "\#(id)", "run": ["/bin/sh", "-c", "\#(mark)"], "timeout": "1h", "grace": "10s", "retries": 0, "on_crash": "rerun"\#(options), "queue": "default", "priority": 0, "uid": 0, "accepted_at": "2026-01-01T00:00:00.000Z", "seq": \#(sequence)}"#
    }

    private func play(until condition: @escaping () -> Bool) {
        scenario.start()
        scenario.wait("the repair", for: condition)
    }

    // MARK: staging

    @Test func whatWasClaimedIsTakenIn() {
        for (directory, more) in [("claimed", []), ("written", ["task.json"]), ("judged", ["task.json", "state.json"]), ("ended", ["task.json", "result.json"]), ("cut", ["task.json"])] {
            make(".staging/\(directory)")
            write(".staging/\(directory)/drop.json", #"{"run": "\#(mark)"}"#)
            for name in more { write(".staging/\(directory)/\(name)", directory == "cut" ? "" : #"{"id": "\#(directory)"}"#) }
        }
        make(".staging/batch")
        make(".staging/batch/jobs")
        make(".staging/batch/jobs/batch.0")
        write(".staging/batch/drop.json", #"{"tasks": [{"run": "\#(mark)"}, {"run": "\#(mark)"}]}"#)
        play { ["claimed", "written", "judged", "ended", "cut", "batch", "batch.0", "batch.1"].allSatisfy { spool.exists("done/\($0)") } }
        #expect(scenario.marks.all == ["batch.0.1", "batch.1.1", "claimed.1", "cut.1", "ended.1", "judged.1", "written.1"])
        scenario.checkRest("claimed")
    }

    @Test func whatWasClaimedFromTheInboxOfAQueueBelongsToThatQueue() {
        make("inbox/night")
        // Also where the file's name is one of the words that the daemon itself uses there.
        for id in ["job", "forget", "trash", "retry"] {
            make(".staging/\(id)@night")
            write(".staging/\(id)@night/drop.json", #"{"run": "\#(mark)"}"#)
        }
        play { ["job", "forget", "trash", "retry"].allSatisfy { spool.exists("done/\($0)") } }
        #expect(spool.json("done/trash/task.json")?["queue"]?.string == "night")
        #expect(scenario.archived.isEmpty)
        scenario.checkRest("claimed for a queue")
    }

    @Test func whatWasRejectedOrGivenBackLeavesNothingBehind() {
        make(".staging/empty")
        make(".staging/returned")
        make(".staging/returned/jobs")
        make(".staging/returned/jobs/returned.0")
        write("inbox/returned.json", #"{"tasks": [{"run": "\#(mark)"}]}"#)
        make(".staging/wrong")
        write(".staging/wrong/drop.json", #"{"run": 5}"#)
        write("rejected/silent.json", #"{"runn": "x"}"#)
        play { spool.exists("rejected/wrong.error.json") && spool.exists("rejected/silent.error.json") && scenario.stagedNames.isEmpty }
        #expect(spool.json("rejected/silent.error.json")?["hint"]?.string?.contains("run") == true)
        scenario.wait("the batch that was given back") { spool.exists("done/returned.0") }
        scenario.checkRest("rejected")
    }

    @Test func whatWasLeavingForTheArchiveIsInItOnce() {
        for id in ["a", "b", "c"] {
            let name = id == "c" ? "@trash-c" : "@forget-\(id)"
            make(".staging/\(name)")
            write(".staging/\(name)/task.json", task(id))
            write(".staging/\(name)/result.json", #"{"id": "\#(id)", "outcome": "succeeded", "attempts": 1, "queued_at": "2026-01-01T00:00:00.000Z", "finished_at": "\#(Timestamp.now)"}"#)
        }
        write("archive/\(Timestamp.now.description.prefix(10)).jsonl", "{\"id\": \"b\"}\n{\"id\": \"c\"}\n")
        play { scenario.stagedNames.isEmpty }
        #expect(scenario.archived == ["b", "c", "a"])
        scenario.checkRest("archive")
    }

    @Test func aJobThatWasToBeRetriedIsRetriedAndKeepsItsAttempts() {
        for (index, id) in ["whole", "half", "never", "child"].enumerated() {
            make(".staging/@retry-\(id)")
            write(".staging/@retry-\(id)/task.json", task(id, sequence: index + 1))
            if id != "child" { write(".staging/@retry-\(id)/drop.json", #"{"run": "x"}"#) }
        }
        let result = { (id: String, attempts: Int) in
            #"{"id": "\#(id)", "outcome": "failed", "attempts": \#(attempts), "queued_at": "2026-01-01T00:00:00.000Z", "finished_at": "\#(Timestamp.now)"}"#
        }
        write(".staging/@retry-whole/result.json", result("whole", 1))
        write(".staging/@retry-whole/log", "first\n")
        make(".staging/@retry-half/attempts")
        make(".staging/@retry-half/attempts/1")
        write(".staging/@retry-half/state.json", #"{"retried": true, "attempts": 1}"#)
        write(".staging/@retry-half/result.json", result("half", 1))
        write(".staging/@retry-never/result.json", result("never", 0))
        write(".staging/@retry-child/result.json", result("child", 0))
        play { ["whole", "half", "never", "child"].allSatisfy { spool.exists("done/\($0)") } }
        #expect(scenario.marks.all == ["child.1", "half.2", "never.1", "whole.2"])
        #expect(spool.text("done/whole/attempts/1/log") == "first\n")
        #expect(spool.exists("done/half/attempts/1/result.json"))
        scenario.checkRest("retried")
    }

    /// One that nobody understands keeps none of the others, nor the daemon, from going on.
    @Test func whatIsNoJobIsLeftAloneAndSaid() {
        make(".staging/@retry-broken")
        write(".staging/@retry-broken/task.json", "")
        make(".staging/mine")
        write(".staging/mine/notes.txt", "mine")
        make("queued/empty")
        make("queued/broken")
        write("queued/broken/task.json", #"{"id": "bro"#)
        make(".staging/good")
        write(".staging/good/drop.json", #"{"run": "\#(mark)"}"#)
        play { spool.exists("done/good") }
        #expect(spool.text(".staging/mine/notes.txt") == "mine")
        scenario.daemon.send(SIGUSR1)
        for word in [".staging/mine", "@retry-broken", "queued/empty", "queued/broken"] {
            scenario.wait("a word about \(word)") { scenario.daemon.output.contains(word) }
        }
        #expect(scenario.daemon.stop() == 0)
    }

    // MARK: the index

    @Test func anIndexThatIsBehindTheFilesIsBroughtUp() throws {
        do {
            let store = try SQLiteJobStore(path: path + "/index.sqlite")
            for (index, id) in ["moved", "gone"].enumerated() {
                let record = try TaskRecord.read(JSONReader.read(Array(task(id, sequence: index + 1).utf8)))
                try store.put(JobRow(task: record, state: .running, waiting: nil, run: nil, result: nil))
            }
            try store.setFact("boot_id", ProcessIdentity.currentBootID)
            try store.commit()
        }
        make("queued/moved")
        write("queued/moved/task.json", task("moved", sequence: 1))
        make("queued/unknown")
        write("queued/unknown/task.json", task("unknown", sequence: 3))
        play { spool.exists("done/moved") && spool.exists("done/unknown") }
        spool.drop("next", #"{"run": "\#(mark)"}"#)
        #expect(spool.finished("next") != nil)
        #expect(spool.json("done/next/task.json")?["seq"]?.int == 4)
        #expect(scenario.marks.all == ["moved.1", "next.1", "unknown.1"])
        #expect(!Programs.rouse(["list", "--json"], on: spool).output.contains("gone"))
        scenario.checkRest("index behind")
    }

    // MARK: results and attempts

    @Test func aResultThatWasWrittenMovesItsJob() {
        for (index, state) in ["waiting", "queued", "running"].enumerated() {
            let id = "in-\(state)"
            make("\(state)/\(id)")
            write("\(state)/\(id)/task.json", task(id, #", "reply_to": "\#(scenario.marks.path)/\#(id)""#, sequence: index + 1))
            write("\(state)/\(id)/result.json", #"{"id": "\#(id)", "outcome": "cancelled", "attempts": 0, "queued_at": "2026-01-01T00:00:00.000Z", "finished_at": "\#(Timestamp.now)"}"#)
        }
        play { ["waiting", "queued", "running"].allSatisfy { spool.exists("failed/in-\($0)") } }
        // The copies are there, and none of them was run.
        #expect(scenario.marks.all == ["in-queued", "in-running", "in-waiting"])
        scenario.checkRest("results")
    }

    /// `log`: the runner makes it before it starts the program.
    @Test(arguments: ["rerun", "fail"], [false, true]) func aJobInRunningWithoutARunnerIsDealtWithAsItsLogSays(policy: String, hasLog: Bool) {
        make("running/x")
        write("running/x/task.json", task("x").split(separator: #""on_crash": "rerun""#).joined(separator: #""on_crash": "\#(policy)""#))
        write("running/x/run.json", #"{"id": "x", "attempt": 1, "argv": ["true"], "timeout": "1h", "grace": "10s", "on_crash": "\#(policy)", "queue": "default", "spool": "\#(path)", "runner": {"pid": 1, "start_time": 1, "boot_id": "\#(ProcessIdentity.currentBootID)"}, "started_at": "2026-01-01T00:00:00.000Z", "deadline": "2026-01-01T01:00:00.000Z"}"#)
        if hasLog { write("running/x/log", "begun\n") }
        play { spool.result(of: "x") != nil }
        switch (policy, hasLog) {
        case ("fail", true):
            #expect(spool.result(of: "x")?["outcome"]?.string == "lost")
            #expect(scenario.marks.all.isEmpty)
            #expect(spool.text("failed/x/log") == "begun\n")
        case (_, true):
            #expect(scenario.marks.all == ["x.2"])
            #expect(spool.text("done/x/attempts/1/log") == "begun\n")
        default: #expect(scenario.marks.all == ["x.1"])
        }
        scenario.checkRest("running without a runner")
    }

    /// A move to `attempts/` that was cut short at each of its files is gone on with, and counts the attempt once.
    @Test(arguments: 0...4) func anAttemptThatWasHalfPutAwayIsCountedOnce(moved: Int) {
        make("running/x")
        make("running/x/attempts")
        make("running/x/attempts/1")
        write("running/x/task.json", task("x"))
        write("running/x/state.json", #"{"attempts": 1, "lost": 1}"#)
        let run = #"{"id": "x", "attempt": 1, "argv": ["true"], "timeout": "1h", "grace": "10s", "queue": "default", "spool": "\#(path)", "runner": {"pid": 1, "start_time": 1, "boot_id": "x"}, "started_at": "2026-01-01T00:00:00.000Z", "deadline": "2026-01-01T01:00:00.000Z"}"#
        for (index, name) in ["run.json", "log", "output.json", "result.json"].enumerated() where name != "result.json" {
            write((index < moved ? "running/x/attempts/1/" : "running/x/") + name, name == "run.json" ? run : "{}")
        }
        play { spool.exists("done/x") }
        #expect(scenario.marks.all == ["x.2"])
        #expect(spool.list("done/x/attempts") == ["1"])
        #expect(spool.list("done/x/attempts/1") == ["log", "output.json", "run.json"])
        #expect(spool.result(of: "x")?["attempts"]?.int == 2)
        scenario.checkRest("half put away")
    }

    // MARK: the end

    /// What comes when the daemon is about to end holds its end up no more than what came before.
    @Test func aDaemonThatIsToldToLookAroundAndToEndAtOnceEnds() {
        for _ in 0..<10 {
            scenario.start()
            for _ in 0..<10 { scenario.daemon.send(SIGUSR1) }
            scenario.daemon.send(SIGTERM)
            for _ in 0..<10 { scenario.daemon.send(SIGUSR1) }
            #expect(scenario.daemon.exitCode() == 0)
        }
    }

    // MARK: verbs

    /// A reply that hangs holds up neither the slot nor the key, and what was cancelled is not started meanwhile.
    @Test func aCancelledJobIsNotStartedWhileItsReplyIsOnItsWay() {
        let target = scenario.marks.path + "/reply"
        // Where the copy is written first: nobody reads, so the writing waits.
        mkfifo(scenario.marks.path + "/.reply.tmp", 0o600)
        spool.write("", to: path + "/daemon/PAUSE")
        scenario.start()
        spool.drop("x", #"{"run": "\#(mark)", "reply_to": "\#(target)"}"#)
        #expect(spool.reaches("queued", "x"))
        spool.drop("stop", #"{"cancel": "x"}"#)
        #expect(spool.finished("stop")?["outcome"]?.string == "succeeded")
        unlink(path + "/daemon/PAUSE")
        spool.drop("other", #"{"run": "\#(mark)"}"#)
        #expect(spool.finished("other") != nil)
        #expect(spool.exists("queued/x"))
        let reader = open(scenario.marks.path + "/.reply.tmp", O_RDONLY)
        #expect(spool.reaches("failed", "x"))
        close(reader)
        #expect(spool.result(of: "x")?["outcome"]?.string == "cancelled")
        #expect(scenario.marks.all.filter { $0.hasSuffix(".1") } == ["other.1"])
        scenario.checkRest("reply")
    }

    @Test func aReplyThatHangsHoldsUpNeitherOtherRepliesNorTheEnd() {
        mkfifo(scenario.marks.path + "/.hung.tmp", 0o600)
        scenario.start()
        spool.drop("hung", #"{"run": "\#(mark)", "reply_to": "\#(scenario.marks.path)/hung"}"#)
        #expect(spool.wait { spool.exists("running/hung/result.json") })
        spool.drop("other", #"{"run": "\#(mark)", "reply_to": "\#(scenario.marks.path)/other"}"#)
        #expect(spool.finished("other")?["outcome"]?.string == "succeeded")
        #expect(access(scenario.marks.path + "/other", F_OK) == 0)
        #expect(scenario.daemon.stop() == 0)
        // It is put again when there is somebody to take it.
        unlink(scenario.marks.path + "/.hung.tmp")
        scenario.start()
        #expect(spool.reaches("done", "hung"))
        #expect(access(scenario.marks.path + "/hung", F_OK) == 0)
        scenario.checkRest("hung reply")
    }

    @Test func aJobThatWasToBeReplacedBeforeACrashIsReplacedAfterIt() {
        make("waiting/old")
        write("waiting/old/task.json", task("old", #", "key": "k", "not_before": "2100-01-01T00:00:00.000Z""#, sequence: 1))
        write("waiting/old/state.json", #"{"reason": "delay", "until": "2100-01-01T00:00:00.000Z"}"#)
        make("waiting/new")
        write("waiting/new/task.json", task("new", #", "key": "k", "on_duplicate": "replace""#, sequence: 2))
        write("waiting/new/state.json", #"{"reason": "key", "waits_for": ["old"]}"#)
        play { spool.exists("done/new") && spool.exists("failed/old") }
        #expect(spool.result(of: "old")?["outcome"]?.string == "superseded")
        scenario.checkRest("replaced")
    }
}
