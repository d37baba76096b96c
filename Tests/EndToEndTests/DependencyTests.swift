import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct DependencyTests {
    @Test func aJobWaitsForThoseItComesAfter() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        spool.drop("first", #"{"run": "\#(gate.wait)", "key": "base"}"#)
        #expect(spool.reaches("running", "first"))
        spool.drop("byId", #"{"run": ["true"], "after": ["first"]}"#)
        spool.drop("byKey", #"{"run": ["true"], "after": "base"}"#)
        #expect(spool.reaches("waiting", "byId") && spool.reaches("waiting", "byKey"))
        let state = try #require(spool.json("waiting/byId/state.json"))
        #expect(state["reason"]?.string == "after")
        #expect(state["waits_for"] == ["first"])
        #expect(state["missing"] == nil)
        gate.open()
        for id in ["first", "byId", "byKey"] { #expect(spool.outcome(id) == "succeeded") }
        #expect(spool.tells("finished", of: "byId"))
        #expect(spool.started.first == "first")
        // What is done already is not waited for.
        spool.drop("late", #"{"run": ["true"], "after": ["first", "base", "byId"]}"#)
        #expect(spool.outcome("late") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aFailedDependencyFailsWhatComesAfterUnlessItSaysToRun() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        spool.drop("bad", #"{"run": "\#(gate.wait); exit 3"}"#)
        spool.drop("dependent", #"{"run": ["true"], "after": ["bad"]}"#)
        spool.drop("grandchild", #"{"run": ["true"], "after": ["dependent"]}"#)
        spool.drop("cleanup", #"{"run": ["true"], "after": ["bad"], "after_failed": "run"}"#)
        for id in ["dependent", "grandchild", "cleanup"] { #expect(spool.reaches("waiting", id)) }
        gate.open()
        #expect(spool.outcome("bad") == "failed")
        for id in ["dependent", "grandchild"] {
            let result = try #require(spool.finished(id))
            #expect(result["outcome"]?.string == "failed")
            #expect(result["error"]?["code"]?.string == "dependency_failed")
            #expect(result["attempts"]?.int == 0)
        }
        #expect(spool.outcome("cleanup") == "succeeded")
        #expect(spool.tells("finished", of: "cleanup"))
        spool.drop("late", #"{"run": ["true"], "after": ["bad"]}"#)
        #expect(spool.finished("late")?["error"]?["code"]?.string == "dependency_failed")
        #expect(spool.started.sorted() == ["bad", "cleanup"])
        #expect(daemon.stop() == 0)
    }

    @Test func howAForgottenJobEndedIsKnownToWhatComesAfterIt() throws {
        let spool = TestSpool()
        spool.configure("queues/short", #"{"keep": {"count": 0}}"#)
        var daemon = TestDaemon(spool)
        spool.drop("good", #"{"run": ["true"], "queue": "short"}"#)
        spool.drop("bad", #"{"run": ["false"], "queue": "short", "key": "k"}"#)
        #expect(spool.tells("finished", of: "good") && spool.tells("finished", of: "bad"))
        daemon.send(SIGUSR1)
        #expect(spool.tells("forgotten", of: "good") && spool.tells("forgotten", of: "bad"))
        func check(_ round: String) {
            spool.drop("after-good-\(round)", #"{"run": ["true"], "after": ["good"]}"#)
            #expect(spool.outcome("after-good-\(round)") == "succeeded")
            for name in ["bad", "k"] {
                spool.drop("after-\(name)-\(round)", #"{"run": ["true"], "after": ["\#(name)"]}"#)
                #expect(spool.finished("after-\(name)-\(round)")?["error"]?["code"]?.string == "dependency_failed")
            }
        }
        check("live")
        #expect(daemon.stop() == 0)
        // The archive has it, too.
        for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] { unlink(spool.path(name)) }
        daemon = TestDaemon(spool)
        check("rebuilt")
        #expect(daemon.stop() == 0)
        #expect(Programs.rouse(["reindex"], on: spool).code == 0)
        daemon = TestDaemon(spool)
        check("reindexed")
        // What is forgotten by a command while the daemon runs is noticed by it.
        spool.drop("pruned", #"{"run": ["true"]}"#)
        #expect(spool.tells("finished", of: "pruned"))
        #expect(Programs.rouse(["prune", "--keep", "0"], on: spool).code == 0)
        #expect(spool.wait { !Programs.rouse(["list", "--json"], on: spool).output.contains("\"pruned\"") })
        spool.drop("after-pruned", #"{"run": ["true"], "after": ["pruned"]}"#)
        #expect(spool.outcome("after-pruned") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aMissingDependencyIsWaitedForWhereEverybodySees() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("early", #"{"run": ["true"], "after": ["later", "k"]}"#)
        #expect(spool.reaches("waiting", "early"))
        let state = try #require(spool.json("waiting/early/state.json"))
        #expect(state["reason"]?.string == "after")
        #expect(state["missing"] == ["later", "k"])
        #expect(state["until"]?.string.flatMap { Timestamp($0) } != nil)
        spool.drop("later", #"{"run": ["true"]}"#)
        #expect(spool.outcome("later") == "succeeded")
        #expect(spool.wait { spool.json("waiting/early/state.json")?["missing"] == ["k"] })
        spool.drop("other", #"{"run": ["true"], "key": "k"}"#)
        #expect(spool.outcome("early") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aCircleIsRejectedWhereItCloses() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("self", #"{"run": ["true"], "after": ["self"]}"#)
        #expect(spool.rejection(of: "self")?["code"]?.string == "cycle")
        spool.drop("a", #"{"run": ["true"], "after": ["b"]}"#)
        #expect(spool.reaches("waiting", "a"))
        spool.drop("b", #"{"run": ["true"], "after": ["c"], "key": "kb"}"#)
        #expect(spool.reaches("waiting", "b"))
        spool.drop("c", "{\"run\": [\"true\"],\n\"after\": [\"a\"]}")
        let rejection = try #require(spool.rejection(of: "c"))
        #expect(rejection["code"]?.string == "cycle")
        #expect(rejection["where"]?["line"]?.int == 2)
        #expect(rejection["where"]?["field"]?.string == "after")
        // By the key of one that already waits, too.
        spool.drop("c", #"{"run": ["true"], "after": ["kb"]}"#)
        #expect(spool.wait { spool.list("rejected").count == 6 })
        spool.drop("c", #"{"run": ["true"]}"#)
        for id in ["c", "b", "a"] { #expect(spool.outcome(id) == "succeeded") }
        #expect(daemon.stop() == 0)
    }
}
