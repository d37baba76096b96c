import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct WatchingTests {
    private static let task = #"{"run": ["true"]}"#

    @Test func anInboxThatIsDeletedAndMadeAgainIsWatchedOn() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        for round in 0..<3 {
            #expect(rmdir(spool.path("inbox")) == 0)
            // The daemon may be quicker to make it again.
            mkdir(spool.path("inbox"), 0o700)
            spool.drop("after\(round)", Self.task)
            #expect(spool.outcome("after\(round)", seconds: 30) == "succeeded")
        }
        #expect(daemon.stop() == 0)
    }

    @Test func anInboxThatIsRenamedAwayAndReplacedIsWatchedOn() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        mkdir(spool.path("other"), 0o700)
        spool.write(Self.task, to: spool.path("other/there.json"))
        // In one step, as who wants no gap does.
        #expect(Programs.run(["mv", "--exchange", "-T", spool.path("other"), spool.path("inbox")]).code == 0
            || (spool.move("inbox", to: "gone") && (rmdir(spool.path("inbox")) == 0 || true) && spool.move("other", to: "inbox")))
        #expect(spool.outcome("there", seconds: 30) == "succeeded")
        spool.drop("next", Self.task)
        #expect(spool.outcome("next", seconds: 30) == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aQueuesDirectoryThatIsMadeAgainIsWatchedOn() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        for round in 0..<3 {
            mkdir(spool.path("inbox/q"), 0o700)
            spool.drop("a\(round)", Self.task, queue: "q")
            #expect(spool.outcome("a\(round)", seconds: 30) == "succeeded")
            spool.drop("b\(round)", Self.task, queue: "q")
            #expect(spool.outcome("b\(round)", seconds: 30) == "succeeded")
            #expect(rmdir(spool.path("inbox/q")) == 0)
        }
        mkdir(spool.path("inbox/q"), 0o700)
        spool.drop("last", Self.task, queue: "q")
        #expect(spool.outcome("last", seconds: 30) == "succeeded")
        #expect(spool.json("done/last/task.json")?["queue"]?.string == "q")
        #expect(daemon.stop() == 0)
    }

    @Test func aConfigurationDirectoryThatIsReplacedIsWatchedOn() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        #expect(spool.move("config/queues", to: "config/old"))
        mkdir(spool.path("config/queues"), 0o700)
        spool.configure("queues/new", #"{"slots": 1}"#)
        #expect(spool.wait(seconds: 30) { spool.exists("inbox/new") })
        spool.configure("queues/newer", "{")
        #expect(spool.wait(seconds: 30) { spool.exists("config/queues/newer.error.json") })
        #expect(daemon.stop() == 0)
    }

    @Test func eventsThatAreLostLoseNoFile() throws {
        let limit = mostQueuedEvents
        // Each rename is an event; more of them than the kernel keeps, and than are worth a minute.
        let count = min(limit + 4000, 24_000)
        let spool = TestSpool()
        spool.pause()
        let daemon = TestDaemon(spool)
        daemon.send(SIGSTOP)
        let staging = spool.path(".staging/.burst")
        mkdir(staging, 0o700)
        for index in 0..<count {
            let file = "\(staging)/b\(index).json"
            spool.write(Self.task, to: file)
            #expect(rename(file, spool.path("inbox/b\(index).json")) == 0)
        }
        rmdir(staging)
        daemon.send(SIGCONT)
        // The last to come is the last to go; to list them all each time would hold up the daemon.
        #expect(spool.wait(seconds: 240) { !spool.exists("inbox/b\(count - 1).json") })
        #expect(spool.wait(seconds: 30) { spool.list("inbox").isEmpty })
        #expect(spool.wait(seconds: 30) { spool.list("queued").count == count })
        #expect(spool.list("rejected").isEmpty)
        if count > limit { #expect(daemon.output.contains("max_queued_events")) }
        #expect(daemon.stop() == 0)
    }

    /// How many events the kernel keeps for one watcher.
    private var mostQueuedEvents: Int {
        let bytes = (try? Directory("/proc/sys/fs/inotify").read("max_queued_events")?.bytes) ?? []
        return Int(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)) ?? 16_384
    }

    @Test func filesThatCameWhileNobodyServedAreTakenInTheirOrder() {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 1}"#)
        mkdir(spool.path("inbox/q"), 0o700)
        for index in 0..<30 { spool.drop("f\(10 + index)", Self.task) }
        spool.drop("q", Self.task, queue: "q")
        let daemon = TestDaemon(spool)
        for index in 0..<30 { #expect(spool.outcome("f\(10 + index)") == "succeeded") }
        #expect(spool.outcome("q") == "succeeded")
        #expect(spool.tells("finished", of: "f39"))
        #expect(spool.started.filter { $0 != "q" } == (0..<30).map { "f\(10 + $0)" })
        #expect(daemon.stop() == 0)
    }

    @Test func aDaemonThatPollsTakesFilesToo() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool, environment: ["ROUSE_WATCH": "poll"])
        spool.drop("one", Self.task)
        #expect(spool.outcome("one", seconds: 60) == "succeeded")
        mkdir(spool.path("inbox/q"), 0o700)
        spool.drop("two", Self.task, queue: "q")
        #expect(spool.outcome("two", seconds: 60) == "succeeded")
        #expect(daemon.output.contains("inotify is not used"))
        #expect(daemon.stop() == 0)
    }

    @Test func aSignalMakesItLookAtEverything() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        // What no event tells of: a job's directory that somebody moved by hand, and one that is gone.
        spool.drop("job", #"{"run": ["true"], "delay": "1h"}"#)
        spool.drop("gone", #"{"run": ["true"], "delay": "1h"}"#)
        #expect(spool.tells("accepted", of: "job") && spool.tells("accepted", of: "gone"))
        try Directory(spool.path("waiting")).removeTree("gone")
        #expect(spool.move("waiting/job", to: "queued/job"))
        daemon.send(SIGUSR1)
        #expect(spool.outcome("job", seconds: 30) == "succeeded")
        #expect(spool.tells("gone", of: "gone"))
        #expect(daemon.stop() == 0)
    }

    @Test func aSignalRightAfterTheStartDoesNoHarm() {
        for _ in 0..<5 {
            let spool = TestSpool()
            let daemon = TestDaemon(spool)
            daemon.send(SIGUSR1)
            spool.drop("job", Self.task)
            #expect(spool.outcome("job", seconds: 30) == "succeeded")
            #expect(daemon.stop() == 0)
        }
    }
}
