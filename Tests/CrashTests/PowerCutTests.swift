import CLinux
import Glibc
import JobIndex
import SpoolFormat
import Testing
import TestSupport

/// What a power cut leaves: the index as it was synced, and files that are empty, or where they were before, or gone.
@Suite struct PowerCutTests {
    /// A spool on which everything went down at once, with jobs in every state.
    private final class Wreck {
        let scenario = Scenario()
        var spool: TestSpool { scenario.spool }
        var marks: [String] { scenario.marks.all.filter { $0 != "gate" } }

        init() throws {
            let gate = scenario.marks.path + "/gate"
            mkfifo(gate, 0o600)
            let mark = #"mkdir \"\#(scenario.marks.path)/$ROUSE_JOB_ID.$ROUSE_ATTEMPT\""#
            spool.configure("queues/shut", #"{"slots": 0}"#)
            spool.configure("queues/default", #"{"slots": 8}"#)
            scenario.start()
            spool.drop("waiting", #"{"run": "\#(mark)", "delay": "1h"}"#)
            spool.drop("held", #"{"run": "\#(mark)", "delay": "1h"}"#)
            spool.drop("queued", #"{"run": "\#(mark)", "queue": "shut"}"#)
            spool.drop("finished", #"{"run": "\#(mark); exit 3"}"#)
            for (id, policy) in [("rerun", "rerun"), ("once", "fail")] {
                spool.drop(id, #"{"run": "\#(mark); test ! -p \#(gate) || read x < \#(gate)", "on_crash": "\#(policy)"}"#)
            }
            try #require(spool.finished("finished") != nil)
            try #require(spool.reaches("waiting", "held"))
            spool.drop("hold", #"{"hold": "held"}"#)
            try #require(spool.finished("hold") != nil && spool.reaches("queued", "queued") && spool.reaches("waiting", "waiting"))
            try #require(spool.wait { self.marks == ["finished.1", "once.1", "rerun.1"] })
            // The commit follows the rename.
            try #require(spool.wait { Programs.rouse(["list", "--json"], on: self.spool).output.split(separator: "\n").count == 9 })
            scenario.daemon.kill9()
            Programs.endAll(ofSpool: spool.path)
            try #require(spool.wait { Programs.processes(ofSpool: self.spool.path).isEmpty })
            unlink(gate)
            let store = try SQLiteJobStore(path: spool.path + "/index.sqlite")
            try store.setFact("boot_id", "another boot")
            try store.commit()
        }

        func truncate(_ name: String) { precondition(Glibc.truncate("\(spool.path)/\(name)", 0) == 0, name) }
        func remove(_ name: String) throws { try Directory(spool.path).removeTree(name) }
        func move(_ from: String, _ to: String) { precondition(rename("\(spool.path)/\(from)", "\(spool.path)/\(to)") == 0, from) }

        /// Lets the next daemon have it, and checks what must be true whatever was lost.
        func recover() {
            scenario.start()
            scenario.wait("what was to run") { spool.exists("done/rerun") && spool.exists("failed/once") }
            #expect(spool.result(of: "once")?["outcome"]?.string == "lost")
            #expect(marks.filter { $0.hasPrefix("once") } == ["once.1"])
            #expect(spool.result(of: "finished")?["exit_code"]?.int == 3)
            #expect(spool.exists("failed/finished"))
            #expect(spool.exists("waiting/waiting") && spool.exists("waiting/held") && spool.exists("queued/queued"))
            #expect(spool.json("waiting/waiting/task.json")?["run"] != nil)
            #expect(spool.json("waiting/held/state.json")?["held"]?.bool == true)
            #expect(spool.json("waiting/waiting/state.json")?["reason"]?.string == "delay")
            #expect(marks.filter { $0.hasPrefix("finished") || $0.hasPrefix("queued") || $0.hasPrefix("waiting") } == ["finished.1"])
            // Those that wait can still be let go.
            spool.drop("release", #"{"release": "held"}"#)
            #expect(spool.finished("release")?["outcome"]?.string == "succeeded")
            spool.configure("queues/shut", #"{"slots": 1}"#)
            #expect(spool.finished("queued")?["outcome"]?.string == "succeeded")
            scenario.checkRest("power cut")
        }
    }

    @Test func aPowerCutThatLosesNothingRunsOnlyWhatMayRunAgain() throws {
        try Wreck().recover()
    }

    @Test(arguments: ["drop.json", "task.json", "state.json", "run.json"]) func recordsThatAreEmptyAfterAPowerCutAreWrittenAgain(name: String) throws {
        let wreck = try Wreck()
        for id in ["waiting/waiting", "waiting/held", "queued/queued", "running/rerun", "running/once", "failed/finished"]
        where wreck.spool.exists("\(id)/\(name)") { wreck.truncate("\(id)/\(name)") }
        wreck.recover()
        if name == "run.json" { #expect(wreck.marks.contains("rerun.2")) }
    }

    @Test func aResultThatIsEmptyAfterAPowerCutIsWrittenAgain() throws {
        let wreck = try Wreck()
        wreck.truncate("failed/finished/result.json")
        wreck.recover()
    }

    @Test func theLogThatAPowerCutTookProvesNotThatAnAttemptNeverBegan() throws {
        let wreck = try Wreck()
        for id in ["rerun", "once"] {
            unlink("\(wreck.spool.path)/running/\(id)/log")
            // This machine has not been started anew; their records must say that it has.
            let text = wreck.spool.text("running/\(id)/run.json")!
            let boot = try #require(wreck.spool.json("running/\(id)/run.json")?["runner"]?["boot_id"]?.string)
            wreck.spool.write(text.split(separator: boot, omittingEmptySubsequences: false).joined(separator: "another boot"), to: "\(wreck.spool.path)/running/\(id)/run.json")
        }
        // Nothing says that the other one began; it is its first attempt again, and finds the mark of the first.
        wreck.scenario.start()
        wreck.scenario.wait("the end of both") { wreck.spool.result(of: "rerun") != nil && wreck.spool.result(of: "once") != nil }
        #expect(wreck.spool.result(of: "once")?["outcome"]?.string == "lost")
        #expect(wreck.marks.filter { $0.hasPrefix("once") } == ["once.1"])
        wreck.scenario.checkRest("no log")
    }

    /// A directory is where it was some seconds ago: the rename was not on the disk.
    @Test(arguments: ["queued", "waiting", ".staging"]) func directoriesThatArePutBackByAPowerCutGoOnFromWhatTheIndexRemembers(place: String) throws {
        let wreck = try Wreck()
        for id in ["rerun", "once"] {
            wreck.move("running/\(id)", "\(place)/\(id)")
            for file in ["run.json", "log"] { unlink("\(wreck.spool.path)/\(place)/\(id)/\(file)") }
        }
        wreck.move("failed/finished", "\(place)/finished")
        for file in ["run.json", "log", "exit.json", "result.json"] { unlink("\(wreck.spool.path)/\(place)/finished/\(file)") }
        let spool = wreck.spool
        wreck.scenario.start()
        wreck.scenario.wait("the end of all") { ["rerun", "once", "finished"].allSatisfy { spool.result(of: $0) != nil } }
        #expect(spool.result(of: "once")?["outcome"]?.string == "lost")
        #expect(spool.result(of: "finished")?["exit_code"]?.int == 3)
        #expect(wreck.marks.filter { !$0.hasPrefix("rerun") } == ["finished.1", "once.1"])
        wreck.scenario.checkRest("put back into \(place)")
    }

    @Test func directoriesThatAPowerCutTookAreRestored() throws {
        let wreck = try Wreck()
        for id in ["waiting/waiting", "waiting/held", "queued/queued", "running/rerun", "running/once", "failed/finished"] { try wreck.remove(id) }
        wreck.recover()
    }

    /// And a daemon that dies in the middle of it begins again.
    @Test(arguments: [2, 5, 9, 14]) func aRecoveryThatIsKilledBeginsAgain(number: Int) throws {
        let wreck = try Wreck()
        for id in ["waiting/waiting", "waiting/held", "queued/queued", "running/rerun", "running/once", "failed/finished"] { try wreck.remove(id) }
        wreck.scenario.start(wrapper: Strace.killing(at: "renameat2", number))
        #expect(wreck.spool.wait { !wreck.scenario.daemon.isRunning || wreck.spool.exists("done/rerun") })
        wreck.scenario.daemon.kill9()
        wreck.recover()
    }

    @Test func theStartOfWhatMayRunOnlyOnceIsOnDiskBeforeItsRunnerIsTold() throws {
        let scenario = Scenario()
        let record = scenario.marks.path + "/calls"
        scenario.start(wrapper: Strace.recording("renameat2,pwrite64,fdatasync,sendto", to: record))
        for number in 0..<5 {
            scenario.spool.drop("once-\(number)", #"{"run": ["true"], "on_crash": "fail"}"#)
            #expect(scenario.spool.finished("once-\(number)") != nil)
        }
        #expect(scenario.daemon.stop() == 0)
        #expect(scenario.spool.wait { Programs.processes(ofSpool: scenario.spool.path).isEmpty })
        let calls = String(decoding: try #require(try Directory(scenario.marks.path).read("calls")?.bytes), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        for number in 0..<5 {
            let id = "once-\(number)"
            let intent = try #require(calls.firstIndex { $0.contains("renameat2(") && $0.contains("/queued>") && $0.contains("/running>") && $0.contains("\"\(id)\"") })
            let message = try #require(calls.firstIndex { $0.contains("sendto(") && $0.contains("\"run \(id) 1") })
            #expect(intent < message)
            let between = calls[intent..<message]
            let commit = try #require(between.firstIndex { $0.contains("pwrite64(") && $0.contains("index.sqlite-wal") })
            // The end of the call, where another thread's came in between.
            let sync = between[commit...].firstIndex { $0.contains("fdatasync(") && $0.contains("index.sqlite-wal") && $0.contains("= 0") }
                ?? between[commit...].firstIndex { $0.contains("fdatasync resumed") && $0.contains("= 0") }
            #expect(sync != nil, "\(id): \(between.joined(separator: "\n"))")
        }
    }
}
