import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct ForgettingTests {
    private func archive(_ spool: TestSpool) throws -> [JSON] {
        try spool.list("archive").flatMap { (spool.text("archive/\($0)") ?? "").split(separator: "\n") }
            .map { try JSONReader.read(Array($0.utf8)) }
    }

    @Test func finishedJobsBeyondTheCountBecomeALineEach() throws {
        let spool = TestSpool()
        spool.configure("queues/short", #"{"keep": {"count": 2}, "slots": 1}"#)
        let daemon = TestDaemon(spool)
        for index in 0..<5 {
            spool.drop("s\(index)", #"{"run": "exit \#(index % 2)", "queue": "short"}"#)
            #expect(spool.outcome("s\(index)") != nil)
        }
        spool.drop("other", #"{"run": ["true"]}"#)
        spool.drop("waits", #"{"run": ["true"], "queue": "short", "delay": "1h"}"#)
        #expect(spool.outcome("other") == "succeeded" && spool.reaches("waiting", "waits"))
        #expect(spool.tells("finished", of: "s4"))
        daemon.send(SIGUSR1)
        #expect(spool.wait(seconds: 30) { spool.list("done").count + spool.list("failed").count == 3 })
        #expect(Set(spool.list("done") + spool.list("failed")) == ["s3", "s4", "other"])
        #expect(spool.exists("waiting/waits"))
        #expect(spool.wait(seconds: 30) { (try? Directory(spool.path(".staging")).entries().isEmpty) == true })
        let lines = try archive(spool)
        #expect(lines.compactMap { $0["id"]?.string }.sorted() == ["s0", "s1", "s2"])
        let line = try #require(lines.first { $0["id"]?.string == "s1" })
        #expect(line["outcome"]?.string == "failed")
        #expect(line["exit_code"]?.int == 1)
        #expect(line["task"]?["run"] == ["/bin/sh", "-c", "exit 1"])
        #expect(spool.events(of: "s1").last?["event"]?.string == "forgotten")
        #expect(daemon.stop() == 0)
        let next = TestDaemon(spool)
        #expect(try archive(spool).count == 3)
        #expect(next.stop() == 0)
    }

    @Test func finishedJobsPastTheirTimeBecomeALineEach() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        for index in 0..<250 { spool.drop("t\(index)", #"{"cancel": "nobody"}"#) }
        spool.drop("kept", #"{"run": ["true"], "queue": "kept"}"#)
        #expect(spool.wait { spool.list("failed").count == 250 })
        #expect(spool.outcome("kept") == "succeeded")
        spool.configure("queues/default", #"{"keep": {"time": "0s"}}"#)
        #expect(spool.tells("config_applied"))
        daemon.send(SIGUSR1)
        // A job leaves its state first, and its line comes next.
        #expect(spool.wait(seconds: 30) { spool.list("failed").isEmpty && (try? archive(spool).count) == 250 })
        #expect(Set(try archive(spool).compactMap { $0["id"]?.string }) == Set((0..<250).map { "t\($0)" }))
        #expect(try archive(spool).count == 250)
        #expect(spool.list("done") == ["kept"])
        #expect(daemon.stop() == 0)
    }

    @Test func whatIsNoFinishedJobIsNeverTouched() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"keep": {"time": "0s", "count": 0}}"#)
        let outside = spool.path("outside")
        mkdir(outside, 0o700)
        spool.write("precious", to: outside + "/file")
        for state in ["done", "failed", "queued", "waiting", "running"] {
            mkdir(spool.path("\(state)/unknown"), 0o700)
            spool.write("precious", to: spool.path("\(state)/unknown/file"))
            rename(spool.path("\(state)/unknown"), spool.path("\(state)/unknown-\(state)"))
            symlink(outside, spool.path("\(state)/link-\(state)"))
            spool.write("precious", to: spool.path("\(state)/file-\(state)"))
        }
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "ln -s \#(outside) link; ln -s \#(outside) $ROUSE_JOB_DIR/link"}"#)
        spool.drop("waits", #"{"run": ["true"], "delay": "1h"}"#)
        #expect(spool.tells("finished", of: "job") && spool.reaches("waiting", "waits"))
        daemon.send(SIGUSR1)
        #expect(spool.tells("forgotten", of: "job"))
        #expect(spool.wait(seconds: 30) { (try? Directory(spool.path(".staging")).entries().isEmpty) == true })
        #expect(spool.text("outside/file") == "precious")
        for state in ["done", "failed", "queued", "waiting", "running"] {
            #expect(spool.text("\(state)/unknown-\(state)/file") == "precious")
            #expect(spool.exists("\(state)/link-\(state)/file"))
            #expect(spool.text("\(state)/file-\(state)") == "precious")
        }
        #expect(spool.exists("waiting/waits"))
        #expect(daemon.stop() == 0)
    }
}
