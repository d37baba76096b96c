import CLinux
import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct QueueTests {
    @Test func aDirectoryInTheInboxIsAQueue() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        mkdir(spool.path("inbox/night"), 0o700)
        spool.drop("owl", #"{"run": ["true"]}"#, queue: "night")
        #expect(spool.outcome("owl") == "succeeded")
        #expect(spool.json("done/owl/task.json")?["queue"]?.string == "night")
        // The next file is heard of by a watch of the queue's own.
        spool.drop("bat", #"{"run": ["true"], "queue": "night"}"#, queue: "night")
        #expect(spool.outcome("bat", seconds: 30) == "succeeded")
        spool.drop("lark", #"{"run": ["true"], "queue": "day"}"#, queue: "night")
        #expect(spool.rejection(of: "lark")?["code"]?.string == "wrong_queue")
        #expect(daemon.stop() == 0)
    }

    @Test func aQueueHasDefaultsAndAnEnvironment() throws {
        let spool = TestSpool()
        spool.configure("queues/build", #"""
            {"slots": 1, "env": {"COLOUR": "queue", "SHAPE": "queue"},
             "defaults": {"priority": "high", "timeout": "7s", "grace": "3s", "retries": 2, "labels": {"team": "x"},
                          "env": {"SHAPE": "default", "SIZE": "default"}}}
            """#)
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "echo $COLOUR $SHAPE $SIZE", "queue": "build", "retries": 0, "env": {"SIZE": "own"}, "labels": {"a": "b"}}"#)
        #expect(spool.outcome("job") == "succeeded")
        #expect(spool.text("done/job/log") == "queue default own\n")
        let task = try #require(spool.json("done/job/task.json"))
        #expect(task["timeout"]?.string == "7s")
        #expect(task["grace"]?.string == "3s")
        #expect(task["retries"]?.int == 0)
        #expect(task["priority"]?.int == 50)
        #expect(task["labels"]?["team"]?.string == "x")
        #expect(task["labels"]?["a"]?.string == "b")
        let run = try #require(spool.json("done/job/run.json"))
        #expect(run["timeout"]?.string == "7s" && run["retries"]?.int == 0 && run["limits"]?["log_bytes"]?.int == 64 << 20)
        #expect(run["origins"] == [
            "cwd": "default", "env.COLOUR": "queue", "env.SHAPE": "queue", "env.SIZE": "task", "grace": "queue",
            "limits.log_bytes": "default", "on_crash": "default", "priority": "queue", "retries": "task", "timeout": "queue",
        ])
        #expect(daemon.stop() == 0)
    }

    @Test func aQueueTakesOnlyTheVerbsItAccepts() throws {
        let spool = TestSpool()
        spool.configure("queues/strict", #"{"accept": {"verbs": ["run"]}}"#)
        let daemon = TestDaemon(spool)
        #expect(spool.wait { spool.exists("inbox/strict") })
        spool.drop("stop", #"{"cancel": "x"}"#, queue: "strict")
        let rejection = try #require(spool.rejection(of: "stop"))
        #expect(rejection["code"]?.string == "verb_not_accepted")
        #expect(rejection["where"]?["line"]?.int == 1)
        #expect(rejection["where"]?["column"]?.int == 2)
        spool.drop("go", #"{"run": ["true"]}"#, queue: "strict")
        #expect(spool.outcome("go") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aQueueTakesOnlyFilesOfTheUsersItAccepts() throws {
        guard geteuid() == 0 else { return }
        let spool = TestSpool()
        spool.configure("queues/open", #"{"accept": {"uids": [4711]}}"#)
        let daemon = TestDaemon(spool)
        func drop(_ name: String, uid: UInt32, queue: String?) {
            let file = spool.path(".staging/.own-\(name)")
            spool.write(#"{"run": ["true"]}"#, to: file)
            chown(file, uid, uid)
            rename(file, spool.path("inbox/\(queue.map { $0 + "/" } ?? "")\(name).json"))
        }
        #expect(spool.wait { spool.exists("inbox/open") })
        drop("friend", uid: 4711, queue: "open")
        drop("stranger", uid: 4712, queue: "open")
        drop("foreign", uid: 4711, queue: nil)
        #expect(spool.outcome("friend") == "succeeded")
        #expect(spool.json("done/friend/task.json")?["uid"]?.int == 4711)
        #expect(spool.rejection(of: "stranger")?["code"]?.string == "user_not_accepted")
        #expect(spool.rejection(of: "foreign")?["code"]?.string == "user_not_accepted")
        #expect(daemon.stop() == 0)
    }

    @Test func aBadConfigurationIsRefusedAndTheLastGoodOneStaysInForce() throws {
        let spool = TestSpool()
        spool.configure("queues/q", #"{"slots": 1, "env": {"V": "good"}}"#)
        let daemon = TestDaemon(spool)
        spool.configure("queues/q", "{\"slots\": 1,\n \"slot\": 2}")
        #expect(spool.wait { spool.exists("config/queues/q.error.json") })
        let error = try #require(spool.json("config/queues/q.error.json"))
        #expect(error["code"]?.string == "unknown_field")
        #expect(error["where"]?["line"]?.int == 2)
        #expect(error["where"]?["column"]?.int == 2)
        #expect(error["hint"]?.string?.contains("slots") == true)
        spool.drop("one", #"{"run": "echo $V", "queue": "q"}"#)
        #expect(spool.outcome("one") == "succeeded")
        #expect(spool.text("done/one/log") == "good\n")
        spool.configure("queues/q", #"{"env": {"V": "better"}}"#)
        #expect(spool.wait { !spool.exists("config/queues/q.error.json") })
        #expect(spool.wait { spool.events().filter { $0["event"]?.string == "config_applied" }.count == 2 })
        spool.drop("two", #"{"run": "echo $V", "queue": "q"}"#)
        #expect(spool.outcome("two") == "succeeded")
        #expect(spool.text("done/two/log") == "better\n")
        #expect(daemon.output.contains("config/queues/q.json is refused at line 2, column 2"))
        #expect(daemon.stop() == 0)
    }

    /// A file that its writer still has open is not judged for a minute, however old its last change is; so nothing here
    /// hangs on how long anything takes.
    @Test func aConfigurationThatIsHalfWrittenIsNotRefusedYet() throws {
        let spool = TestSpool()
        spool.configure("queues/q", #"{"env": {"V": "good"}}"#)
        let first = TestDaemon(spool)
        #expect(spool.tells("config_applied"))
        func begin(_ name: String, _ text: String) -> Int32 {
            let file = rouse_open(spool.path("config/queues/\(name).json"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            #expect(writeAll(Array(text.utf8), to: file))
            return file
        }
        func age(ofChangeOf name: String) -> Int64 {
            var (status, now) = (stat(), timespec())
            #expect(lstat(spool.path(name), &status) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0)
            return Int64(now.tv_sec - status.st_ctim.tv_sec) * 1000 + Int64(now.tv_nsec - status.st_ctim.tv_nsec) / 1_000_000
        }
        let (old, new) = (begin("q", #"{"env": {"V": "#), begin("new", ""))
        first.send(SIGUSR1)
        // It has looked at all of the directory when it has refused this.
        spool.configure("queues/wrong", #"{"slot": 1}"#)
        #expect(spool.wait { spool.exists("config/queues/wrong.error.json") })
        spool.drop("one", #"{"run": "echo $V", "queue": "q"}"#)
        #expect(spool.outcome("one") == "succeeded" && spool.text("done/one/log") == "good\n")
        first.kill9()
        // The next one sees them first when they have kept still for long.
        #expect(spool.wait { ["q", "new"].allSatisfy { age(ofChangeOf: "config/queues/\($0).json") > 1100 } })
        // What was in force before stays in force for the next one.
        let second = TestDaemon(spool)
        spool.drop("two", #"{"run": "echo $V", "queue": "q"}"#)
        #expect(spool.outcome("two") == "succeeded" && spool.text("done/two/log") == "good\n")
        #expect(!spool.exists("config/queues/q.error.json") && !spool.exists("config/queues/new.error.json"))
        #expect(!second.output.contains("config/queues/q.json is refused") && !second.output.contains("config/queues/new.json is refused"))
        #expect(writeAll(Array(#""better"}}"#.utf8), to: old))
        close(old)
        // Nobody finishes this one.
        close(new)
        #expect(spool.wait { spool.json("config/queues/new.error.json")?["code"]?.string == "empty_file" })
        #expect(spool.wait { spool.text("daemon/config/queues/q.json")?.contains("better") == true })
        spool.drop("three", #"{"run": "echo $V", "queue": "q"}"#)
        #expect(spool.outcome("three") == "succeeded" && spool.text("done/three/log") == "better\n")
        #expect(!spool.events().contains { $0["event"]?.string == "config_refused" && $0["file"]?.string == "queues/q.json" })
        #expect(second.stop() == 0)
    }

    @Test func theLastGoodConfigurationIsKeptWhenTheDaemonEnds() throws {
        let spool = TestSpool()
        spool.configure("queues/q", #"{"env": {"V": "good"}}"#)
        spool.configure("schedules/tick", #"{"every": "1s", "missed": "skip", "task": {"run": ["true"]}, "queue": "q"}"#)
        let daemon = TestDaemon(spool)
        #expect(spool.wait { spool.events().filter { $0["event"]?.string == "config_applied" }.count == 2 })
        #expect(daemon.stop() == 0)
        spool.configure("queues/q", #"{"slot": 1}"#)
        spool.configure("schedules/tick", "{")
        let before = spool.events().filter { $0["event"]?.string == "schedule_fired" }.count
        let second = TestDaemon(spool)
        #expect(spool.json("config/queues/q.error.json")?["code"]?.string == "unknown_field")
        #expect(second.output.contains("config/queues/q.json is refused"))
        #expect(second.output.contains("the last good one stays in force (daemon/config/queues/q.json)"))
        spool.drop("one", #"{"run": "echo $V", "queue": "q"}"#)
        #expect(spool.outcome("one") == "succeeded")
        #expect(spool.text("done/one/log") == "good\n")
        #expect(spool.tells("schedule_fired", times: before + 1))
        #expect(second.stop() == 0)
        // What was removed is not in force any more, whatever comes in its place.
        unlink(spool.path("config/queues/q.json"))
        let third = TestDaemon(spool)
        #expect(!spool.exists("daemon/config/queues/q.json"))
        #expect(third.stop() == 0)
    }

    @Test func configurationInADirectoryThatOthersCanWriteIsRefused() {
        let spool = TestSpool()
        spool.configure("queues/q", #"{"slots": 1}"#)
        chmod(spool.path("config/queues"), 0o777)
        let daemon = TestDaemon(spool)
        #expect(spool.json("config/queues/q.error.json")?["code"]?.string == "writable_by_others")
        #expect(daemon.output.contains("chmod go-w"))
        chmod(spool.path("config/queues"), 0o700)
        daemon.send(SIGUSR1)
        #expect(spool.wait { !spool.exists("config/queues/q.error.json") })
        chmod(spool.path("config"), 0o720)
        daemon.send(SIGUSR1)
        #expect(spool.wait { spool.exists("config/queues/q.error.json") })
        #expect(daemon.stop() == 0)
    }

    @Test func anInboxThatCantHaveItsGroupOrModeIsReported() throws {
        let spool = TestSpool()
        spool.configure("queues/public", #"{"group": "no-such-group", "mode": "1733", "accept": {}}"#)
        let daemon = TestDaemon(spool)
        let error = try #require(spool.json("config/queues/public.error.json"))
        #expect(error["code"]?.string == "inbox_not_opened")
        #expect(error["message"]?.string?.contains("no-such-group") == true)
        #expect(daemon.output.contains("there is no group no-such-group"))
        // The next look tries again, and says the same once.
        daemon.send(SIGUSR1)
        spool.configure("queues/public", #"{"mode": "1733", "accept": {}}"#)
        #expect(spool.wait { !spool.exists("config/queues/public.error.json") })
        #expect(daemon.stop() == 0)
    }

    @Test func aConfigurationThatOthersCanWriteIsRefused() {
        let spool = TestSpool()
        spool.write(#"{"slots": 1}"#, to: spool.path("config/queues/q.json"), mode: 0o600)
        chmod(spool.path("config/queues/q.json"), 0o666)
        symlink("/etc/passwd", spool.path("config/queues/link.json"))
        let daemon = TestDaemon(spool)
        #expect(spool.wait { spool.json("config/queues/q.error.json")?["code"]?.string == "writable_by_others" })
        #expect(spool.wait { spool.json("config/queues/link.error.json")?["code"]?.string == "not_a_file" })
        chmod(spool.path("config/queues/q.json"), 0o600)
        daemon.send(SIGUSR1)
        #expect(spool.wait { !spool.exists("config/queues/q.error.json") })
        unlink(spool.path("config/queues/link.json"))
        #expect(spool.wait { !spool.exists("config/queues/link.error.json") })
        #expect(daemon.stop() == 0)
    }

    @Test func aConfiguredInboxHasTheModeThatIsSaid() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.configure("queues/public", #"{"mode": "1733", "accept": {"verbs": ["run"]}}"#)
        #expect(spool.wait {
            var status = stat()
            return lstat(spool.path("inbox/public"), &status) == 0 && status.st_mode & 0o7777 == 0o1733
        })
        #expect(daemon.stop() == 0)
    }
}
