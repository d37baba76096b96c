import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct RebuildTests {
    @Test func withoutItsIndexTheDaemonTellsTheSame() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 4}"#)
        spool.configure("queues/closed", #"{"slots": 0}"#)
        let first = TestDaemon(spool)
        let task = #"{"run": ["true"], "labels": {"n": "1"}, "priority": "high"}"#
        let many = Array(repeating: task, count: 240).joined(separator: ", ")
        for index in 0..<2 { spool.drop("done\(index)", #"{"tasks": [\#(many)]}"#) }
        let closed = Array(repeating: #"{"run": ["true"], "queue": "closed", "expires_in": "1h", "key": "k", "on_duplicate": "queue"}"#, count: 250).joined(separator: ", ")
        spool.drop("queued", #"{"tasks": [\#(closed)]}"#)
        let waiting = Array(repeating: #"{"run": ["true"], "delay": "1h", "after": ["nobody"]}"#, count: 200).joined(separator: ", ")
        spool.drop("waiting", #"{"tasks": [\#(waiting)]}"#)
        let failing = [
            #"{"run": "exit 3"}"#, #"{"run": "kill -9 $$"}"#, #"{"run": ["true"], "expires_at": "2001-01-01T00:00:00Z"}"#,
            #"{"run": ["no-such-program"]}"#, #"{"run": ["sleep", "100"], "timeout": "100ms"}"#, #"{"run": ["true"], "after": [0]}"#,
            #"{"run": "exit 1", "retries": 1, "backoff": {"base": "10ms"}}"#, #"{"run": "exit 1", "retries": 1, "backoff": {"base": "1h"}}"#,
            #"{"run": "echo '[1]' > $ROUSE_RESULT"}"#, #"{"run": ["true"], "delay": "1h"}"#,
        ]
        spool.drop("mixed", #"{"tasks": [\#(failing.joined(separator: ", "))]}"#)
        #expect(spool.outcome("queued") == "succeeded")
        spool.drop("dropped", #"{"run": ["true"], "key": "k"}"#)
        #expect(spool.wait(seconds: 60) { spool.list("done").count == 480 + 5 + 1 && spool.list("running").isEmpty })
        spool.drop("hold", #"{"hold": "mixed.9"}"#)
        spool.drop("cancel", #"{"cancel": "waiting.7"}"#)
        spool.drop("retry", #"{"retry": "mixed.0"}"#)
        spool.drop("none", #"{"retry": "nobody"}"#)
        for id in ["hold", "cancel", "retry"] { #expect(spool.outcome(id) == "succeeded") }
        #expect(spool.outcome("none") == "failed")
        #expect(spool.tells("finished", of: "mixed.0", times: 2))
        let gate = Gate(spool)
        spool.drop("running", #"{"run": "\#(gate.wait)"}"#)
        #expect(spool.tells("started", of: "running"))
        #expect(first.stop() == 0)
        func list() -> String { Programs.rouse(["list", "--json"], on: spool).output }
        let before = list()
        let rows = try #require(try? JSONReader.read(Array(before.utf8)).array)
        #expect(rows.count > 900)
        #expect(Set(rows.compactMap { $0["state"]?.string }) == ["waiting", "queued", "running", "done", "failed"])
        for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] { unlink(spool.path(name)) }
        let second = TestDaemon(spool)
        #expect(second.output.contains("built the index anew"))
        compare(before, list())
        #expect(second.stop() == 0)
        // By hand, too, with the daemon off.
        for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] { unlink(spool.path(name)) }
        #expect(Programs.rouse(["reindex"], on: spool).code == 0)
        compare(before, list())
        let third = TestDaemon(spool)
        gate.open()
        #expect(spool.outcome("running") == "succeeded")
        #expect(third.stop() == 0)
    }

    /// Tells the lines that differ, not all of them.
    private func compare(_ before: String, _ after: String) {
        let left = before.split(separator: "\n"), right = after.split(separator: "\n")
        #expect(left.count == right.count)
        let different = zip(left, right).filter { $0 != $1 }
        #expect(different.isEmpty, "\(different.count) differ, such as \(different.first.map { "\($0.0)\n\($0.1)" } ?? "")")
    }
}
