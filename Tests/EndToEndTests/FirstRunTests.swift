import SpoolFormat
import Testing
import TestSupport

@Suite struct FirstRunTests {
    @Test func aDroppedFileIsRunAndItsResultIsWhereTheNameSays() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("hello", #"{"run": ["echo", "hello"]}"#)
        let result = try #require(spool.finished("hello"))
        #expect(result["outcome"]?.string == "succeeded")
        #expect(result["exit_code"]?.int == 0)
        #expect(spool.text("done/hello/log") == "hello\n")
        #expect(spool.text("done/hello/drop.json") == #"{"run": ["echo", "hello"]}"#)
        #expect(daemon.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
    }
}
