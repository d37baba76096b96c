import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Nothing is sent when nothing changed: an idle system makes no model calls.
///
/// The hour is simulated by what happens in one: the daemon's clock is the machine's, so time itself does not pass. Its
/// sweeps come by the signal that asks for one, each after the one before was counted; its schedules have fired an hour
/// ago for the last time and make up for every minute; and the agent's hooks report as often as the clock of an hour has
/// minutes. In the middle the daemon is killed, as machines are.
@Suite struct IdleTests {
    private static let minutes = 60
    private static let sweeps = Int(TimeSpan.hours(1).milliseconds / Defaults.sweep.milliseconds)

    private struct Idle {
        let spool = TestSpool()
        let agent: ScriptAgent
        /// Every schedule, and what its firings end as.
        let schedules = ["same": "superseded", "chore": "succeeded", "note": "succeeded"]

        init() {
            agent = ScriptAgent(spool)
            mkdir(spool.path(".home"), 0o700)
            let program = Programs.fixtures + "/agents/acp.py"
            spool.configure("agents/kept", #"{"driver": "acp", "command": ["python3", "\#(program)"], "env": {"FAKE_HOME": "\#(spool.path(".home"))"}}"#)
            spool.configure("queues/work", #"{"slots": 0}"#)
            spool.defineSession("boss", #", "coordinates": {"queues": ["work"]}"#)
            spool.defineSession("talk", #", "coordinates": {"labels": {"for": "talk"}}"#, agent: "kept")
            spool.defineSession("away", #", "coordinates": {"queues": ["work"]}"#)
        }

        /// What agents have heard, of whichever session.
        var prompts: Int {
            ["boss", "talk", "away"].reduce(0) { count, name in
                count + spool.lines("sessions/\(name)/events.jsonl").filter { $0["event"]?.string == "prompt" }.count
            }
        }

        var turns: [String] { JobState.allCases.flatMap { spool.list($0.rawValue) }.filter { spool.isTurn($0) }.sorted() }

        /// Firings of an hour, which is over when the daemon starts.
        func schedule() {
            // What is to be done stands in the queue already: the reason is the same as before.
            spool.configure("schedules/same", #"{"every": "1m", "missed": "all", "task": {"run": ["true"], "key": "stands"}, "queue": "work"}"#)
            spool.configure("schedules/chore", #"{"cron": "* * * * *", "missed": "all", "task": {"run": ["true"]}, "queue": "chores"}"#)
            // What is said for the next prompt is no reason for one.
            spool.configure("schedules/note", #"{"every": "1m", "missed": "all", "task": {"note": "a minute has passed", "session": "boss"}}"#)
            let last = Timestamp(milliseconds: Timestamp.now.milliseconds - TimeSpan.hours(1).milliseconds - 1000)
            var times = JSONObject()
            for name in schedules.keys { times[name] = .string(last.description) }
            spool.write(JSONWriter.text(.object(times)), to: spool.path("daemon/schedules.json"))
        }

        func fired(_ schedule: String) -> [String] {
            spool.events().filter { $0["event"]?.string == "schedule_fired" && $0["schedule"]?.string == schedule }.compactMap { $0["job"]?.string }
        }

        func sweep(_ daemon: TestDaemon, _ count: Int) -> Bool {
            (0..<count).allSatisfy { _ in
                let before = spool.json("daemon/daemon.json")?["sweeps"]?.int ?? 0
                daemon.send(SIGUSR1)
                return spool.wait { (spool.json("daemon/daemon.json")?["sweeps"]?.int ?? 0) > before }
            }
        }
    }

    @Test func anHourInWhichNothingChangesSendsNothing() throws {
        let idle = Idle()
        let spool = idle.spool
        // There is work, there is work that waits, and whoever answers for it has been told.
        spool.drop("stands", #"{"run": ["true"], "key": "stands", "queue": "work"}"#)
        spool.drop("later", #"{"run": ["true"], "queue": "work", "delay": "10d"}"#)
        let first = TestDaemon(spool)
        spool.drop("hello", #"{"session": "talk", "prompt": "say hello"}"#)
        #expect(spool.outcome("hello") == "succeeded")
        #expect(spool.session("talk", reaches: "idle"))
        for name in ["boss", "away"] { #expect(spool.wait { spool.session(name)?["turns"]?.int == 1 && spool.session(name)?["state"]?.string == "cold" }) }
        spool.drop("locked", #"{"lock": "away"}"#)
        #expect(spool.outcome("locked") == "succeeded")
        let process = try #require(spool.session("talk")?["process"]?.string)
        let (prompts, turns) = (idle.prompts, idle.turns)
        #expect(prompts == 3 && turns.count == 3)
        #expect(idle.sweep(first, Self.sweeps / 2))
        first.kill9()

        idle.schedule()
        let second = TestDaemon(spool)
        for (schedule, outcome) in idle.schedules {
            #expect(spool.wait { idle.fired(schedule).count >= Self.minutes }, "\(schedule): \(idle.fired(schedule).count)")
            #expect(spool.wait { idle.fired(schedule).allSatisfy { spool.result(of: $0)?["outcome"]?.string == outcome } }, "\(schedule)")
        }
        #expect(idle.sweep(second, Self.sweeps - Self.sweeps / 2))
        for minute in 0..<Self.minutes {
            #expect(Programs.rouse(["report", "progress", "still here \(minute)", "--session", "talk", "--spool", spool.path, "--required"], on: spool).code == 0)
        }
        // What was dropped before this is done with.
        spool.drop("after", #"{"run": ["true"], "queue": "chores"}"#)
        #expect(spool.outcome("after") == "succeeded")
        #expect(idle.prompts == prompts && idle.turns == turns)
        #expect(idle.agent.prompts.count == 2)
        #expect(spool.session("talk")?["process"]?.string == process && spool.state(of: process) == "running")
        #expect(spool.session("talk")?["state"]?.string == "idle" && spool.session("boss")?["state"]?.string == "cold")

        // So it would have been sent: the one thing that changes is told, once.
        spool.drop("change", #"{"run": ["true"], "queue": "chores", "labels": {"for": "talk"}, "notify": "boss"}"#)
        #expect(spool.wait { ["boss", "talk"].allSatisfy { spool.session($0)?["turns"]?.int == 2 } })
        #expect(second.stop() == 0)
        #expect(idle.turns.count > turns.count)
    }
}

extension TestSpool {
    fileprivate func isTurn(_ id: String) -> Bool {
        guard let task = state(of: id).flatMap({ json("\($0)/\(id)/task.json") }) else { return false }
        return task["wake"] != nil || task["prompt"] != nil
    }
}
