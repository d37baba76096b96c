import SpoolFormat
import Testing
import TestSupport

@Suite struct KeyTests {
    @Test func aTaskWhoseKeyIsHeldIsDropped() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        spool.drop("one", #"{"run": "\#(gate.wait)", "key": "k"}"#)
        #expect(spool.reaches("running", "one"))
        spool.drop("two", #"{"run": ["true"], "key": "k"}"#)
        let result = try #require(spool.finished("two"))
        #expect(result["outcome"]?.string == "superseded")
        #expect(result["error"]?["code"]?.string == "already_running")
        #expect(result["error"]?["message"]?.string?.contains("one") == true)
        gate.open()
        #expect(spool.outcome("one") == "succeeded")
        // Once it is done the key is free.
        spool.drop("three", #"{"run": ["true"], "key": "k", "on_duplicate": "drop"}"#)
        #expect(spool.outcome("three") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func theLatestOfAKeyReplacesThoseBefore() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 1}"#)
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        spool.drop("blocker", #"{"run": "\#(gate.wait)"}"#)
        #expect(spool.reaches("running", "blocker"))
        for name in ["a", "b", "c"] {
            spool.drop(name, #"{"run": ["echo", "\#(name)"], "key": "k", "on_duplicate": "replace"}"#)
            #expect(spool.reaches("queued", name))
        }
        for name in ["a", "b"] { #expect(spool.outcome(name) == "superseded") }
        gate.open()
        #expect(spool.outcome("c") == "succeeded")
        #expect(daemon.stop() == 0)
        #expect(spool.started == ["blocker", "c"])
    }

    @Test func theLatestOfAKeyReplacesOneThatRuns() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("old", #"{"run": ["sleep", "1000"], "key": "k", "on_duplicate": "replace"}"#)
        #expect(spool.reaches("running", "old"))
        spool.drop("new", #"{"run": ["true"], "key": "k", "on_duplicate": "replace"}"#)
        #expect(spool.outcome("old") == "superseded")
        #expect(spool.outcome("new") == "succeeded")
        #expect(spool.tells("finished", of: "new"))
        let order = spool.events().filter { ["started", "finished"].contains($0["event"]?.string) }.map { $0["job"]?.string }
        #expect(order == ["old", "old", "new", "new"])
        #expect(daemon.stop() == 0)
    }

    @Test func jobsOfAKeyRunOneAfterTheOther() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 8}"#)
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        for index in 0..<4 {
            spool.drop("j\(index)", #"{"run": "\#(gate.wait)", "key": "k", "on_duplicate": "queue"}"#)
            #expect(spool.reaches(index == 0 ? "running" : "waiting", "j\(index)"))
        }
        let state = try #require(spool.json("waiting/j1/state.json"))
        #expect(state["reason"]?.string == "key")
        #expect(state["waits_for"] == ["j0"])
        for index in 0..<4 {
            #expect(spool.reaches("running", "j\(index)"))
            #expect(spool.list("running").count == 1)
            gate.open()
            #expect(spool.outcome("j\(index)") == "succeeded")
        }
        #expect(daemon.stop() == 0)
        #expect(spool.started == ["j0", "j1", "j2", "j3"])
    }
}
