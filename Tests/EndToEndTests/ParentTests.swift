import SpoolFormat
import Testing
import TestSupport

@Suite struct ParentTests {
    @Test func aChainOfJobsThatDropJobsEndsAtDepthEight() throws {
        let spool = TestSpool()
        spool.pause()
        let daemon = TestDaemon(spool)
        spool.drop("d0", #"{"run": ["true"]}"#)
        #expect(spool.reaches("queued", "d0"))
        for depth in 1...8 {
            spool.drop("d\(depth)", #"{"run": ["true"], "parent": "d\#(depth - 1)"}"#)
            #expect(spool.reaches("queued", "d\(depth)"))
            #expect(spool.json("queued/d\(depth)/task.json")?["depth"]?.int == depth)
        }
        spool.drop("d9", #"{"run": ["true"], "parent": "d8"}"#)
        let rejection = try #require(spool.rejection(of: "d9"))
        #expect(rejection["code"]?.string == "parent_too_deep")
        #expect(rejection["where"]?["column"]?.int == 29)
        #expect(daemon.stop() == 0)
    }

    @Test func aJobHasAtMostSixtyFourChildren() throws {
        let spool = TestSpool()
        spool.pause()
        let daemon = TestDaemon(spool)
        spool.drop("p", #"{"run": ["true"]}"#)
        #expect(spool.reaches("queued", "p"))
        for index in 0..<70 { spool.drop("c\(index)", #"{"run": ["true"], "parent": "p"}"#) }
        #expect(spool.wait { spool.list("queued").count == 65 && spool.list("rejected").count == 12 })
        let name = try #require(spool.list("rejected").first { $0.hasSuffix(".error.json") })
        #expect(spool.json("rejected/\(name)")?["code"]?.string == "too_many_children")
        #expect(daemon.stop() == 0)
    }

    @Test func theTasksOfABatchCountAsChildrenToo() throws {
        let spool = TestSpool()
        spool.pause()
        let daemon = TestDaemon(spool)
        spool.drop("p", #"{"run": ["true"]}"#)
        #expect(spool.reaches("queued", "p"))
        let task = #"{"run": ["true"]}"#
        spool.drop("many", #"{"parent": "p", "tasks": [\#(Array(repeating: task, count: 65).joined(separator: ", "))]}"#)
        #expect(spool.rejection(of: "many")?["code"]?.string == "too_many_children")
        spool.drop("few", #"{"parent": "p", "tasks": [\#(Array(repeating: task, count: 63).joined(separator: ", "))]}"#)
        #expect(spool.outcome("few") == "succeeded")
        #expect(spool.list("queued").count == 64)
        #expect(daemon.stop() == 0)
    }
}
