import SpoolFormat
import Testing
import TestSupport

@Suite struct ScheduleTests {
    @Test func anIntervalFiresOnceAtEachOfItsTimes() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.configure("schedules/tick", #"{"every": "1s", "task": {"run": ["true"], "labels": {"by": "tick"}}, "queue": "clock"}"#)
        #expect(spool.wait { spool.list("done").count >= 4 })
        spool.configure("schedules/tick", #"{"every": "1h", "task": {"run": ["true"]}}"#)
        #expect(spool.wait { spool.events().filter { $0["event"]?.string == "config_applied" }.count == 2 })
        let fired = spool.events().filter { $0["event"]?.string == "schedule_fired" }
        let times = fired.compactMap { $0["time"]?.string.flatMap { Timestamp($0)?.milliseconds } }
        #expect(times.count == fired.count && times.allSatisfy { $0 % 1000 == 0 })
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 1000 })
        let ids = fired.compactMap { $0["job"]?.string }
        #expect(Set(ids).count == ids.count)
        for id in ids {
            #expect(id.hasPrefix("tick."))
            #expect(spool.outcome(id) == "succeeded")
            #expect(spool.json("done/\(id)/task.json")?["queue"]?.string == "clock")
            #expect(spool.json("done/\(id)/task.json")?["key"]?.string == "schedule:\(id)")
        }
        #expect(daemon.stop() == 0)
        #expect(spool.list("done").count == ids.count)
    }

    @Test(arguments: [("skip", 0), ("once", 1), ("all", 4)]) func missedTimesGoByTheSchedulesRule(_ policy: String, _ count: Int) throws {
        let spool = TestSpool()
        spool.pause()
        let hour: Int64 = 3_600_000
        let now = Timestamp.now.milliseconds
        spool.configure("schedules/hourly", #"{"every": "1h", "missed": "\#(policy)", "task": {"run": ["true"]}}"#)
        spool.configure("schedules/probe", #"{"every": "1h", "missed": "once", "task": {"run": ["true"]}}"#)
        let last = Timestamp(milliseconds: now / hour * hour - 4 * hour + 1000)
        let times: JSON = ["hourly": .string(last.description), "probe": .string(last.description)]
        spool.write(JSONWriter.text(times), to: spool.path("daemon/schedules.json"))
        let daemon = TestDaemon(spool)
        #expect(spool.wait { spool.list("queued").contains { $0.hasPrefix("probe.") } })
        func fired() -> [String] { spool.list("queued").filter { $0.hasPrefix("hourly.") } }
        #expect(spool.wait(seconds: 10) { fired().count == count } || policy == "skip")
        // Just after the full hour its last time is not missed but late.
        if policy == "skip", now % hour < Defaults.sweep.milliseconds { return }
        #expect(fired().count == count)
        #expect(daemon.stop() == 0)
        let again = TestDaemon(spool)
        spool.drop("after", #"{"hold": "nobody"}"#)
        #expect(spool.outcome("after") == "failed")
        #expect(fired().count == count)
        #expect(again.stop() == 0)
    }

    @Test func ofVeryManyMissedTimesAThousandAreMadeUpForAndTheRestIsTold() throws {
        let spool = TestSpool()
        spool.pause()
        let start = Timestamp(milliseconds: Timestamp.now.milliseconds - 2 * 86_400_000)
        spool.configure("schedules/each", #"{"every": "1m", "missed": "all", "task": {"hold": "nobody"}}"#)
        spool.configure("schedules/last", #"{"every": "1m", "missed": "once", "task": {"run": ["true"]}}"#)
        let times: JSON = ["each": .string(start.description), "last": .string(start.description)]
        spool.write(JSONWriter.text(times), to: spool.path("daemon/schedules.json"))
        let daemon = TestDaemon(spool)
        #expect(spool.tells("schedule_left_out"))
        let told = try #require(spool.events().first { $0["event"]?.string == "schedule_left_out" })
        let from = try #require(told["from"]?.string.flatMap { Timestamp($0) })
        #expect(from.milliseconds == start.milliseconds / 60_000 * 60_000 + 1001 * 60_000)
        #expect(daemon.output.contains("the schedule each missed more than 1000 times"))
        #expect(spool.wait { spool.list("failed").count >= 1000 })
        // The one that stands for all is the last.
        #expect(spool.wait { spool.list("queued").contains { $0.hasPrefix("last.") } })
        let last = try #require(spool.events().first { $0["schedule"]?.string == "last" }?["time"]?.string.flatMap { Timestamp($0) })
        #expect(last.milliseconds > start.milliseconds + 86_400_000)
        #expect(daemon.stop() == 0)
    }

    @Test func aChangedScheduleBeginsAtItsChange() {
        let spool = TestSpool()
        spool.pause()
        let last = Timestamp(milliseconds: Timestamp.now.milliseconds - 86_400_000 * 3)
        spool.configure("schedules/daily", #"{"cron": "0 0 1 1 *", "missed": "all", "task": {"run": ["true"]}}"#)
        spool.write(JSONWriter.text(["daily": .string(last.description)]), to: spool.path("daemon/schedules.json"))
        let daemon = TestDaemon(spool)
        spool.configure("schedules/daily", #"{"every": "1d", "missed": "all", "task": {"run": ["true"]}}"#)
        #expect(spool.wait { spool.events().filter { $0["event"]?.string == "config_applied" }.count == 2 })
        spool.drop("probe", #"{"hold": "nobody"}"#)
        #expect(spool.outcome("probe") == "failed")
        #expect(spool.list("queued").isEmpty)
        #expect(!spool.events().contains { $0["event"]?.string == "schedule_fired" })
        #expect(daemon.stop() == 0)
    }

    @Test func aBadScheduleIsRefusedAndTheLastGoodOneStaysInForce() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let bad = [
            ("cron", #"{"cron": "61 * * * *", "task": {"run": ["true"]}}"#, "bad_value", "cron"),
            ("never", #"{"cron": "0 0 30 2 *", "task": {"run": ["true"]}}"#, "bad_value", "cron"),
            ("zone", #"{"cron": "0 0 * * *", "timezone": "Mars/Olympus", "task": {"run": ["true"]}}"#, "bad_value", "timezone"),
            ("task", #"{"every": "1h", "task": {"rnu": ["true"]}}"#, "unknown_field", "task.rnu"),
            ("both", #"{"every": "1h", "cron": "0 0 * * *", "task": {"run": ["true"]}}"#, "field_not_allowed", "every"),
        ]
        for (name, text, code, field) in bad {
            spool.configure("schedules/\(name)", text)
            #expect(spool.wait(seconds: 30) { spool.exists("config/schedules/\(name).error.json") })
            let error = try #require(spool.json("config/schedules/\(name).error.json"), "\(name)")
            #expect(error["code"]?.string == code, "\(name)")
            #expect(error["where"]?["field"]?.string == field, "\(name)")
            #expect(error["where"]?["line"]?.int == 1, "\(name)")
        }
        spool.configure("schedules/tick", #"{"every": "1s", "task": {"run": ["true"]}}"#)
        #expect(spool.wait { !spool.list("done").isEmpty })
        spool.configure("schedules/tick", #"{"every": "soon", "task": {"run": ["true"]}}"#)
        #expect(spool.wait(seconds: 30) { spool.exists("config/schedules/tick.error.json") })
        let count = spool.list("done").count
        #expect(spool.wait(seconds: 30) { spool.list("done").count > count + 1 })
        #expect(daemon.stop() == 0)
    }
}
