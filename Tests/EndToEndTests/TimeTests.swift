import SpoolFormat
import Testing
import TestSupport

@Suite struct TimeTests {
    @Test func aJobStartsWhenItsDelayIsOver() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("later", #"{"run": ["true"], "delay": "1500ms"}"#)
        #expect(spool.reaches("waiting", "later"))
        let state = try #require(spool.json("waiting/later/state.json"))
        #expect(state["reason"]?.string == "delay")
        let result = try #require(spool.finished("later"))
        #expect(result["outcome"]?.string == "succeeded")
        let accepted = try #require(result["queued_at"]?.string.flatMap { Timestamp($0) })
        let start = try #require(result["started_at"]?.string.flatMap { Timestamp($0) })
        #expect((start - accepted).milliseconds >= 1500)
        #expect((start - accepted).milliseconds < 20_000)
        #expect(daemon.stop() == 0)
    }

    @Test func aJobDoesNotStartBeforeItsTime() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let time = Timestamp.now + TimeSpan(milliseconds: 1200)
        spool.drop("then", #"{"run": ["true"], "not_before": "\#(time)"}"#)
        #expect(spool.reaches("waiting", "then"))
        #expect(spool.json("waiting/then/state.json")?["until"]?.string == time.description)
        let result = try #require(spool.finished("then"))
        #expect(try #require(result["started_at"]?.string.flatMap { Timestamp($0) }) >= time)
        spool.drop("past", #"{"run": ["true"], "not_before": "2001-01-01T00:00:00+02:00"}"#)
        #expect(spool.outcome("past") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aJobThatHasNotStartedExpires() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 1}"#)
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        spool.drop("runs", #"{"run": "\#(gate.wait)", "expires_in": "1s"}"#)
        #expect(spool.reaches("running", "runs"))
        spool.drop("queued", #"{"run": ["true"], "expires_in": "300ms"}"#)
        spool.drop("waiting", #"{"run": ["true"], "after": ["nobody"], "expires_in": "300ms"}"#)
        spool.drop("dead", #"{"run": ["true"], "expires_at": "2001-01-01T00:00:00Z"}"#)
        for id in ["queued", "waiting", "dead"] {
            let result = try #require(spool.finished(id))
            #expect(result["outcome"]?.string == "expired", "\(id)")
            #expect(result["error"]?["code"]?.string == "expired", "\(id)")
            #expect(result["attempts"]?.int == 0)
        }
        // What has started does not expire.
        spool.drop("clock", #"{"run": ["true"], "expires_in": "1200ms"}"#)
        #expect(spool.outcome("clock") == "expired")
        #expect(spool.exists("running/runs"))
        gate.open()
        #expect(spool.outcome("runs") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aTaskThatWouldExpireBeforeItMayStartIsRejected() {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"defaults": {"delay": "1h"}}"#)
        let daemon = TestDaemon(spool)
        spool.drop("never", #"{"run": ["true"], "expires_in": "1m"}"#)
        let rejection = spool.rejection(of: "never")
        #expect(rejection?["code"]?.string == "bad_value")
        #expect(rejection?["where"]?["field"]?.string == "expires_in")
        #expect(daemon.stop() == 0)
    }

    @Test func aFailedJobIsTriedAgainAfterItsBackoffAndKeepsItsAttempts() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("flaky", #"""
            {"run": "echo try $ROUSE_ATTEMPT; echo $ROUSE_ATTEMPT > $ROUSE_RESULT; [ $ROUSE_ATTEMPT = 3 ] || exit $ROUSE_ATTEMPT",
             "retries": 3, "backoff": {"base": "200ms", "factor": 2, "jitter": 0}}
            """#)
        let result = try #require(spool.finished("flaky"))
        #expect(result["outcome"]?.string == "succeeded")
        #expect(result["attempts"]?.int == 3)
        #expect(result["output"]?.int == 3)
        #expect(spool.text("done/flaky/log") == "try 3\n")
        #expect(spool.list("done/flaky/attempts") == ["1", "2"])
        for attempt in 1...2 {
            let place = "done/flaky/attempts/\(attempt)"
            #expect(spool.list(place) == ["exit.json", "log", "output.json", "run.json"])
            #expect(spool.text("\(place)/log") == "try \(attempt)\n")
            #expect(spool.json("\(place)/exit.json")?["exit_code"]?.int == attempt)
        }
        #expect(spool.tells("finished", of: "flaky"))
        let starts = spool.events(of: "flaky").filter { $0["event"]?.string == "started" }
            .compactMap { $0["at"]?.string.flatMap { Timestamp($0) } }
        #expect(starts.count == 3)
        #expect((starts[1] - starts[0]).milliseconds >= 200)
        #expect((starts[2] - starts[1]).milliseconds >= 400)
        #expect(daemon.stop() == 0)
    }

    @Test func aJobThatWaitsForItsNextTrySaysSo() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("bad", #"{"run": "exit 9", "retries": 1, "backoff": {"base": "1h", "jitter": 0}}"#)
        #expect(spool.reaches("waiting", "bad"))
        let state = try #require(spool.json("waiting/bad/state.json"))
        #expect(state["reason"]?.string == "backoff")
        #expect(state["attempts"]?.int == 1)
        // Somebody does not want to wait, and the last try fails, too.
        spool.drop("now", #"{"retry": "bad"}"#)
        let result = try #require(spool.finished("bad"))
        #expect(result["outcome"]?.string == "failed")
        #expect(result["exit_code"]?.int == 9)
        #expect(result["attempts"]?.int == 2)
        #expect(daemon.stop() == 0)
    }

    @Test func aTimedOutJobIsToldApartFromAFailedOne() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("slow", #"{"run": ["sleep", "1000"], "timeout": "300ms", "grace": "5s"}"#)
        spool.drop("stubborn", #"{"run": "trap '' TERM; while :; do sleep 1000; done", "timeout": "300ms", "grace": "200ms"}"#)
        for id in ["slow", "stubborn"] {
            let result = try #require(spool.finished(id))
            #expect(result["outcome"]?.string == "timed_out")
            #expect(result["error"]?["code"]?.string == "timed_out")
        }
        #expect(spool.result(of: "slow")?["signal"]?.int == 15)
        #expect(spool.result(of: "stubborn")?["signal"]?.int == 9)
        #expect(daemon.stop() == 0)
    }
}
