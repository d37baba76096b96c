import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Runners are killed, alone and together with the daemon. What may be run again is; what may not is not.
@Suite struct RunnerKillTests {
    static let calls = ["openat", "renameat2", "write", "sendto", "mkdirat"]

    /// Kills the daemon, runners and programs, each before its own `number`th call of the kind.
    @Test(arguments: calls) func whoeverIsKilledAtACallEveryTaskHasOneOutcomeAndNothingIsLeft(call: String) throws {
        let numbers = Thorough.isAskedFor ? Array(1...60) : [1, 2, 3, 5].map { $0 + (call == "openat" ? 5 : 0) }
        for number in numbers {
            let scenario = Scenario()
            let ids = scenario.dropSome()
            scenario.start(wrapper: Strace.killingAny(at: call, number))
            scenario.wait("the end of all tasks, killed at \(call) \(number)") { ids.allSatisfy { scenario.spool.result(of: $0) != nil } }
            scenario.checkSome(ids, "killed at \(call) \(number)")
        }
    }

    /// A runner that is gone is missed by a daemon that lives, and by one that is started later.
    @Test(arguments: [false, true]) func aJobWhoseRunnerIsKilledIsRunAgainOrLostAsItSays(daemonToo: Bool) throws {
        let scenario = Scenario()
        let spool = scenario.spool
        let gate = scenario.marks.path + "/gate"
        mkfifo(gate, 0o600)
        // The second attempt finds the gate gone.
        let program = #"mkdir \"\#(scenario.marks.path)/$ROUSE_JOB_ID.$ROUSE_ATTEMPT\"; if test -p \#(gate); then read x < \#(gate); fi"#
        spool.configure("queues/default", #"{"slots": 4}"#)
        scenario.start()
        spool.drop("rerun", #"{"run": "\#(program)"}"#)
        spool.drop("once", #"{"run": "\#(program)", "on_crash": "fail"}"#)
        #expect(spool.wait { scenario.marks.all.contains("rerun.1") && scenario.marks.all.contains("once.1") })
        let runners = try ["rerun", "once"].map { try #require(spool.json("running/\($0)/run.json")?["runner"]?["pid"]?.int) }
        if daemonToo { scenario.daemon.kill9() }
        unlink(gate)
        for pid in runners { kill(Int32(pid), SIGKILL) }
        scenario.wait("the end") { spool.result(of: "rerun") != nil && spool.result(of: "once") != nil }
        #expect(spool.result(of: "rerun")?["outcome"]?.string == "succeeded")
        #expect(spool.result(of: "rerun")?["attempts"]?.int == 2)
        #expect(spool.list("done/rerun/attempts/1") == ["log", "run.json"])
        #expect(spool.result(of: "once")?["outcome"]?.string == "lost")
        #expect(scenario.marks.all == ["once.1", "rerun.1", "rerun.2"])
        scenario.checkRest("runners killed")
    }

    @Test func aRunnerWithoutADaemonBringsItsJobToItsEndAndTheNextDaemonWritesIt() throws {
        let scenario = Scenario()
        let spool = scenario.spool
        let gate = scenario.marks.path + "/gate"
        mkfifo(gate, 0o600)
        scenario.start()
        for (id, code) in [("good", 0), ("bad", 7)] {
            spool.drop(id, #"{"run": "mkdir \"\#(scenario.marks.path)/$ROUSE_JOB_ID\"; read x < \#(gate); exit \#(code)", "on_crash": "fail"}"#)
        }
        #expect(spool.wait { scenario.marks.all.count == 3 })
        scenario.daemon.kill9()
        let writer = open(gate, O_WRONLY)
        close(writer)
        #expect(spool.wait { spool.exists("running/good/exit.json") && spool.exists("running/bad/exit.json") })
        scenario.wait("the results") { spool.exists("done/good") && spool.exists("failed/bad") }
        #expect(spool.result(of: "bad")?["exit_code"]?.int == 7)
        scenario.checkRest("runners alone")
    }
}

extension Scenario {
    /// A few tasks of both kinds, dropped before there is a daemon.
    func dropSome() -> [String] {
        spool.configure("queues/default", #"{"slots": 3}"#)
        let ids = (0..<3).flatMap { ["rerun-\($0)", "once-\($0)"] }
        for id in ids {
            let policy = id.hasPrefix("once") ? #", "on_crash": "fail""# : ""
            spool.drop(id, #"{"run": "mkdir \"\#(marks.path)/$ROUSE_JOB_ID.$ROUSE_ATTEMPT\""\#(policy)}"#)
        }
        return ids
    }

    func checkSome(_ ids: [String], _ label: String) {
        for id in ids {
            let states = JobState.allCases.filter { spool.exists("\($0.rawValue)/\(id)") }
            #expect(states.count == 1 && states[0].isFinished, "\(label): \(id) is in \(states)")
            let runs = marks.all.filter { $0.hasPrefix(id + ".") }
            let outcome = spool.result(of: id)?["outcome"]?.string ?? ""
            #expect(["succeeded", "failed", "lost"].contains(outcome), "\(label): \(id) \(outcome)")
            if id.hasPrefix("once") { #expect(runs.count <= 1, "\(label): \(id) ran as \(runs)") }
            if outcome == "succeeded" { #expect(!runs.isEmpty, "\(label): \(id) did not run") }
        }
        #expect(spool.list("rejected").isEmpty && spool.list("inbox").isEmpty, "\(label)")
        checkRest(label)
    }
}
