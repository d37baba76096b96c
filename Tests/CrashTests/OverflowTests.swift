import Glibc
import SpoolFormat
import Testing
import TestSupport

/// More events than the kernel keeps for a daemon that does not listen.
@Suite struct OverflowTests {
    static let files = Thorough.isAskedFor ? 40_000 : 17_500

    @Test func filesThatCameWhileTheQueueOfEventsOverflowedAreAllTakenIn() throws {
        let limit = try #require(Int(Programs.run(["cat", "/proc/sys/fs/inotify/max_queued_events"]).output.split(separator: "\n")[0]))
        #expect(Self.files > limit, "the kernel keeps \(limit) events: this machine needs more files")
        let spool = TestSpool()
        spool.write("", to: spool.path + "/daemon/PAUSE")
        let started = Monotonic.now
        let daemon = TestDaemon(spool)
        daemon.send(SIGSTOP)
        #expect(spool.wait { Self.isStopped(daemon.pid) })
        for number in 0..<Self.files { spool.drop("f\(number)", #"{"run": ["true"]}"#) }
        let dropped = Monotonic.now
        daemon.send(SIGCONT)
        #expect(spool.wait(seconds: 300) { ManyKillsTests.count(spool.path, ["inbox"]) == 0 })
        #expect(ManyKillsTests.count(spool.path, ["queued"]) == Self.files)
        print("\(Self.files) files behind a stopped daemon: dropped in \(dropped - started) ms, taken in within \(Monotonic.now - dropped) ms")
        #expect(daemon.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    private static func isStopped(_ pid: Int32) -> Bool {
        let text = (try? Directory("/proc/\(pid)").read("stat")?.bytes).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.contains(") T ")
    }
}
