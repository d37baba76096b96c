import SpoolFormat
import Testing
import TestSupport

@Suite struct OrderTests {
    @Test func jobsStartByPriorityThenInTheOrderTheyCame() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 1}"#)
        spool.pause()
        let daemon = TestDaemon(spool)
        let jobs = [("a", "0"), ("b", "\"low\""), ("c", "\"urgent\""), ("d", "0"), ("e", "\"high\""), ("f", "-100"), ("g", "1"), ("h", "100")]
        for (name, priority) in jobs {
            spool.drop(name, #"{"run": ["true"], "priority": \#(priority)}"#)
            #expect(spool.reaches("queued", name))
        }
        spool.unpause()
        for (name, _) in jobs { #expect(spool.outcome(name) == "succeeded") }
        #expect(spool.tells("finished", of: "f"))
        #expect(spool.started == ["c", "h", "e", "g", "a", "d", "b", "f"])
        #expect(daemon.stop() == 0)
    }

    @Test func aQueueRunsAsManyJobsAtOnceAsItHasSlots() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 3}"#)
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        for index in 0..<7 { spool.drop("j\(index)", #"{"run": "\#(gate.wait)"}"#) }
        #expect(spool.wait { spool.list("running").count == 3 && spool.list("queued").count == 4 })
        for left in [3, 2, 1, 0] {
            gate.open()
            #expect(spool.wait { spool.list("running").count == 3 && spool.list("queued").count == left })
        }
        gate.open(3)
        #expect(spool.wait { spool.list("done").count == 7 })
        #expect(daemon.stop() == 0)
        // Never more at once than there are slots.
        var running = 0
        for event in spool.events() {
            if event["event"]?.string == "started" { running += 1 }
            if event["event"]?.string == "finished" { running -= 1 }
            #expect(running <= 3)
        }
    }

    @Test func slotsThatChangeCountAtOnce() {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 0}"#)
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        for index in 0..<4 { spool.drop("j\(index)", #"{"run": "\#(gate.wait)"}"#) }
        #expect(spool.wait { spool.list("queued").count == 4 })
        #expect(spool.started.isEmpty)
        spool.configure("queues/default", #"{"slots": 2}"#)
        #expect(spool.wait { spool.list("running").count == 2 })
        spool.configure("queues/default", #"{"slots": 4}"#)
        #expect(spool.wait { spool.list("running").count == 4 })
        gate.open(4)
        #expect(spool.wait { spool.list("done").count == 4 })
        #expect(daemon.stop() == 0)
    }

    @Test func aFullQueueDoesNotHoldUpAnother() {
        let spool = TestSpool()
        spool.configure("queues/slow", #"{"slots": 1}"#)
        let gate = Gate(spool)
        let daemon = TestDaemon(spool)
        for index in 0..<3 { spool.drop("slow\(index)", #"{"run": "\#(gate.wait)", "queue": "slow"}"#) }
        #expect(spool.wait { spool.list("running").count == 1 && spool.list("queued").count == 2 })
        spool.drop("quick", #"{"run": ["true"]}"#)
        #expect(spool.outcome("quick") == "succeeded")
        #expect(spool.list("running").count == 1)
        gate.open(3)
        #expect(spool.wait { spool.list("done").count == 4 })
        #expect(daemon.stop() == 0)
    }
}
