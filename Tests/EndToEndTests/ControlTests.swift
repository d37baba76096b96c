import SpoolFormat
import Testing
import TestSupport

@Suite struct ControlTests {
    @Test func aHeldJobWaitsUntilItIsReleased() throws {
        let spool = TestSpool()
        spool.pause()
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": ["true"]}"#)
        spool.drop("delayed", #"{"run": ["true"], "delay": "100ms"}"#)
        #expect(spool.reaches("queued", "job"))
        spool.drop("h1", #"{"hold": "job"}"#)
        spool.drop("h2", #"{"hold": "delayed"}"#)
        #expect(spool.outcome("h1") == "succeeded")
        #expect(spool.outcome("h2") == "succeeded")
        let state = try #require(spool.json("waiting/job/state.json"))
        #expect(state["reason"]?.string == "hold")
        #expect(state["held_by"]?.string == "h1")
        spool.unpause()
        spool.drop("other", #"{"run": ["true"]}"#)
        #expect(spool.outcome("other") == "succeeded")
        #expect(spool.exists("waiting/job") && spool.exists("waiting/delayed"))
        spool.drop("r1", #"{"release": "job"}"#)
        spool.drop("r2", #"{"release": "delayed"}"#)
        #expect(spool.outcome("job") == "succeeded")
        #expect(spool.outcome("delayed") == "succeeded")
        spool.drop("r3", #"{"release": "job"}"#)
        #expect(spool.finished("r3")?["error"]?["code"]?.string == "already_finished")
        #expect(daemon.stop() == 0)
    }

    @Test func aHeldJobStaysHeldWhenWhatItWaitsForComes() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("b", #"{"run": ["true"], "after": ["a"]}"#)
        #expect(spool.reaches("waiting", "b"))
        spool.drop("h", #"{"hold": "b"}"#)
        #expect(spool.outcome("h") == "succeeded")
        spool.drop("a", #"{"run": ["true"]}"#)
        #expect(spool.outcome("a") == "succeeded")
        spool.drop("probe", #"{"run": ["true"], "after": ["a"]}"#)
        #expect(spool.outcome("probe") == "succeeded")
        #expect(spool.json("waiting/b/state.json")?["reason"]?.string == "hold")
        spool.drop("r", #"{"release": "b"}"#)
        #expect(spool.outcome("b") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func jobsAreCancelledInEveryState() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 1}"#)
        let daemon = TestDaemon(spool)
        spool.drop("finished", #"{"run": ["true"]}"#)
        #expect(spool.outcome("finished") == "succeeded")
        spool.drop("running", #"{"run": ["sleep", "1000"]}"#)
        #expect(spool.reaches("running", "running"))
        spool.drop("queued", #"{"run": ["true"]}"#)
        spool.drop("waiting", #"{"run": ["true"], "delay": "1h"}"#)
        #expect(spool.reaches("queued", "queued") && spool.reaches("waiting", "waiting"))
        for id in ["queued", "waiting", "running", "finished", "nobody"] { spool.drop("c-\(id)", #"{"cancel": "\#(id)"}"#) }
        for id in ["queued", "waiting", "running"] {
            let result = try #require(spool.finished(id), "\(id)")
            #expect(result["outcome"]?.string == "cancelled", "\(id)")
            #expect(result["error"]?["code"]?.string == "cancelled", "\(id)")
            #expect(spool.outcome("c-\(id)") == "succeeded", "\(id)")
        }
        #expect(spool.result(of: "running")?["signal"]?.int == 15)
        #expect(spool.result(of: "running")?["attempts"]?.int == 1)
        #expect(spool.result(of: "c-running")?["output"]?["jobs"]?["running"]?.string == "stopping")
        #expect(spool.finished("c-finished")?["error"]?["code"]?.string == "already_finished")
        #expect(spool.finished("c-nobody")?["error"]?["code"]?.string == "not_found")
        #expect(spool.exists("done/finished"))
        #expect(daemon.stop() == 0)
    }

    @Test func aFinishedJobIsRetriedByAVerbAndByMovingItBack() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "echo $ROUSE_ATTEMPT; [ $ROUSE_ATTEMPT -gt 2 ]"}"#)
        #expect(spool.outcome("job") == "failed")
        spool.drop("again", #"{"retry": "job"}"#)
        #expect(spool.outcome("again") == "succeeded")
        #expect(spool.tells("finished", of: "job", times: 2))
        #expect(spool.result(of: "job")?["outcome"]?.string == "failed")
        #expect(spool.result(of: "job")?["attempts"]?.int == 2)
        #expect(spool.move("failed/job", to: "inbox/job"))
        #expect(spool.reaches("done", "job"))
        #expect(spool.result(of: "job")?["attempts"]?.int == 3)
        #expect(spool.list("done/job/attempts") == ["1", "2"])
        for attempt in 1...2 {
            #expect(spool.text("done/job/attempts/\(attempt)/log") == "\(attempt)\n")
            #expect(spool.json("done/job/attempts/\(attempt)/result.json")?["attempts"]?.int == attempt)
        }
        spool.drop("not", #"{"retry": "nobody"}"#)
        #expect(spool.finished("not")?["error"]?["code"]?.string == "not_found")
        #expect(daemon.stop() == 0)
    }

    @Test func aJobThatNeverRanIsRetriedWithoutItsOldResult() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("old", #"{"run": ["true"], "expires_at": "2001-01-01T00:00:00Z"}"#)
        #expect(spool.outcome("old") == "expired")
        #expect(spool.move("failed/old", to: "inbox/old"))
        #expect(spool.reaches("done", "old"))
        #expect(spool.result(of: "old")?["attempts"]?.int == 1)
        #expect(!spool.exists("done/old/attempts"))
        #expect(daemon.stop() == 0)
    }

    @Test func aMovedDirectoryThatIsNoJobIsRejected() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": ["true"]}"#)
        #expect(spool.outcome("job") == "succeeded")
        #expect(spool.move("done/job", to: "inbox/other-name"))
        #expect(spool.rejection(of: "other-name")?["code"]?.string == "wrong_name")
        #expect(spool.exists("rejected/other-name/task.json"))
        #expect(daemon.stop() == 0)
    }

    @Test func aRunningJobIsRecoveredWithoutCostingATry() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("hangs", #"{"run": "echo $ROUSE_ATTEMPT; [ $ROUSE_ATTEMPT = 2 ] || exec sleep 1000"}"#)
        #expect(spool.wait { spool.text("running/hangs/log") == "1\n" })
        spool.drop("help", #"{"recover": "hangs"}"#)
        let result = try #require(spool.finished("hangs"))
        #expect(result["outcome"]?.string == "succeeded")
        #expect(result["attempts"]?.int == 2)
        #expect(spool.outcome("help") == "succeeded")
        #expect(spool.text("done/hangs/attempts/1/log") == "1\n")
        spool.drop("useless", #"{"recover": "hangs"}"#)
        #expect(spool.finished("useless")?["error"]?["code"]?.string == "already_finished")
        #expect(daemon.stop() == 0)
    }

    @Test func verbsActOnAQueueAndOnALabel() throws {
        let spool = TestSpool()
        spool.pause()
        let daemon = TestDaemon(spool)
        for index in 0..<3 {
            spool.drop("q\(index)", #"{"run": ["true"], "queue": "batch"}"#)
            spool.drop("l\(index)", #"{"run": ["true"], "labels": {"pr": "7", "n": "\#(index)"}}"#)
        }
        spool.drop("other", #"{"run": ["true"], "labels": {"pr": "8"}}"#)
        #expect(spool.wait { spool.list("queued").count == 7 })
        spool.drop("hold", #"{"hold": {"label": {"pr": "7"}}}"#)
        #expect(spool.finished("hold")?["output"]?["count"]?.int == 3)
        #expect(spool.list("waiting") == ["l0", "l1", "l2"])
        spool.drop("release", #"{"release": {"label": "n=1"}}"#)
        #expect(spool.finished("release")?["output"]?["jobs"] == ["l1": "released"])
        spool.drop("cancel", #"{"cancel": {"queue": "batch"}}"#)
        let result = try #require(spool.finished("cancel"))
        #expect(result["output"]?["jobs"] == ["q0": "cancelled", "q1": "cancelled", "q2": "cancelled"])
        spool.drop("none", #"{"cancel": {"queue": "empty"}}"#)
        #expect(spool.finished("none")?["outcome"]?.string == "succeeded")
        #expect(spool.result(of: "none")?["output"]?["count"]?.int == 0)
        spool.drop("retry", #"{"retry": {"queue": "batch"}}"#)
        #expect(spool.wait { spool.list("queued").filter { $0.hasPrefix("q") }.count == 3 })
        spool.unpause()
        #expect(spool.outcome("other") == "succeeded")
        #expect(spool.outcome("l1") == "succeeded")
        for index in 0..<3 { #expect(spool.outcome("q\(index)") == "succeeded") }
        #expect(spool.list("waiting") == ["l0", "l2"])
        #expect(daemon.stop() == 0)
    }

    @Test func aJobThatIsReleasedWaitsForWhatItWaitedFor() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("tried", #"{"run": "exit 1", "retries": 1, "backoff": {"base": "1h", "max": "1h"}}"#)
        spool.drop("later", #"{"run": ["true"], "after": ["nobody-yet"]}"#)
        for id in ["tried", "later"] { #expect(spool.reaches("waiting", id)) }
        let states = ["tried", "later"].map { spool.json("waiting/\($0)/state.json") }
        for id in ["tried", "later"] {
            spool.drop("hold-\(id)", #"{"hold": "\#(id)"}"#)
            #expect(spool.outcome("hold-\(id)") == "succeeded")
        }
        #expect(spool.json("waiting/tried/state.json")?["reason"]?.string == "backoff")
        #expect(spool.json("waiting/tried/state.json")?["held"]?.bool == true)
        let shown = Programs.rouse(["show", "tried"], on: spool).output
        #expect(shown.contains("to be tried again after a failure") && shown.contains("by hold-tried"))
        #expect(Programs.rouse(["list"], on: spool).output.contains("held"))
        // Also who begins to wait for something while it is held is held by nothing but that.
        spool.drop("nobody-yet", #"{"run": ["true"]}"#)
        #expect(spool.outcome("nobody-yet") == "succeeded")
        #expect(spool.wait { spool.json("waiting/later/state.json")?["reason"]?.string == "hold" })
        for id in ["tried", "later"] {
            spool.drop("release-\(id)", #"{"release": "\#(id)"}"#)
            #expect(spool.outcome("release-\(id)") == "succeeded")
        }
        #expect(spool.outcome("later") == "succeeded")
        #expect(spool.json("waiting/tried/state.json") == states[0])
        #expect(daemon.stop() == 0)
    }

    @Test func aVerbOnAJobThatSomebodyHasRemovedIsAnsweredAtOnce() throws {
        let spool = TestSpool()
        spool.pause()
        let daemon = TestDaemon(spool)
        for name in ["a", "b", "c"] { spool.drop(name, #"{"run": ["true"], "queue": "q"}"#) }
        #expect(spool.wait { spool.list("queued").count == 3 })
        let directory = try Directory(spool.path("queued"))
        try directory.removeTree("b")
        spool.drop("all", #"{"cancel": {"queue": "q"}}"#)
        let result = try #require(spool.finished("all", seconds: 30))
        #expect(result["outcome"]?.string == "succeeded")
        #expect(spool.outcome("a") == "cancelled")
        #expect(spool.outcome("c") == "cancelled")
        try directory.removeTree("nothing")
        #expect(daemon.stop() == 0)
    }

    @Test func aVerbActsOnWhatCameBeforeItAndNotOnWhatCameAfter() throws {
        let spool = TestSpool()
        spool.pause()
        // All are there when the daemon comes; those of one instant are taken by their names.
        spool.drop("1-job", #"{"run": ["true"], "queue": "q"}"#)
        spool.drop("2-cancel", #"{"cancel": {"queue": "q"}}"#)
        spool.drop("3-job", #"{"run": ["true"], "queue": "q"}"#)
        spool.drop("4-batch", #"{"tasks": [{"run": ["true"], "key": "k"}]}"#)
        spool.drop("5-job", #"{"run": ["true"], "key": "k"}"#)
        let daemon = TestDaemon(spool)
        #expect(spool.outcome("1-job") == "cancelled")
        #expect(spool.outcome("5-job") == "superseded")
        #expect(spool.list("queued") == ["3-job", "4-batch.0"])
        #expect(daemon.stop() == 0)
    }

    @Test func aRetryThatIsMovedBackIntoTheInboxRetriesAgain() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": ["false"]}"#)
        #expect(spool.outcome("job") == "failed")
        spool.drop("again", #"{"retry": "job"}"#)
        #expect(spool.wait { spool.result(of: "job")?["attempts"]?.int == 2 })
        #expect(spool.outcome("again") == "succeeded")
        #expect(spool.move("done/again", to: "inbox/again"))
        #expect(spool.wait { spool.result(of: "job")?["attempts"]?.int == 3 })
        #expect(spool.outcome("again") == "succeeded")
        #expect(daemon.stop() == 0)
    }
}
