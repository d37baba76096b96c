import Glibc
import SpoolFormat
import Testing
import TestSupport

/// What wakes a session, and what does not.
@Suite struct ReasonTests {
    /// The lines that tell reasons, of all prompts, without what differs from run to run.
    private func told(_ agent: ScriptAgent) -> [String] {
        agent.prompts.flatMap { $0.text.split(separator: "\n").filter { $0.hasPrefix("- ") } }.map(String.init)
    }

    @Test func aJobsEndWakesThoseItNotifies() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        for name in ["a", "b", "c"] { spool.defineSession(name) }
        let daemon = TestDaemon(spool)
        spool.drop("good", #"{"run": ["true"], "notify": ["a", "b"]}"#)
        #expect(spool.wait { spool.session("a")?["turns"]?.int == 1 && spool.session("b")?["turns"]?.int == 1 })
        #expect(told(agent) == Array(repeating: "- job good of the queue default has succeeded — true", count: 2))
        spool.drop("bad", #"{"run": "exit 7", "notify": "c"}"#)
        #expect(spool.wait { spool.session("c")?["turns"]?.int == 1 })
        #expect(told(agent).contains { $0.hasPrefix("- job bad of the queue default has failed (failed, exit code 7)") })
        #expect(spool.session("a")?["turns"]?.int == 1)
        #expect(daemon.stop() == 0)
    }

    @Test(arguments: [
        (#"{"queues": ["builds"]}"#, #""queue": "builds""#, #""queue": "others""#),
        (#"{"labels": {"team": "blue", "kind": "build"}}"#, #""labels": {"team": "blue", "kind": "build", "x": "y"}"#, #""labels": {"team": "blue"}"#),
        (#"{"parents": ["plan"]}"#, #""parent": "plan""#, #""parent": "other""#),
    ]) func aCoordinatorIsWokenForTheJobsItAnswersFor(_ range: String, _ own: String, _ others: String) {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("boss", #", "coordinates": \#(range), "wake_on": ["finished"]"#)
        let daemon = TestDaemon(spool)
        spool.drop("others", #"{"run": ["true"], \#(others)}"#)
        #expect(spool.outcome("others") == "succeeded")
        spool.drop("own", #"{"run": ["true"], \#(own)}"#)
        #expect(spool.wait { spool.session("boss")?["turns"]?.int == 1 })
        #expect(told(agent).count == 1)
        #expect(told(agent).first?.hasPrefix("- job own of the queue") == true)
        #expect(daemon.stop() == 0)
    }

    @Test func aCoordinatorIsWokenOnlyForWhatItAsksFor() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.configure("queues/work", #"{"slots": 0}"#)
        spool.defineSession("all", #", "coordinates": {"queues": ["work"]}"#)
        spool.defineSession("ends", #", "coordinates": {"queues": ["work"]}, "wake_on": ["failed"]"#)
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": "exit 1", "queue": "work"}"#)
        #expect(spool.wait { spool.session("all")?["turns"]?.int == 1 })
        #expect(told(agent) == ["- job job of the queue work is queued — exit 1"])
        #expect(spool.wakes(of: "ends").isEmpty)
        spool.configure("queues/work", #"{"slots": 1}"#)
        #expect(spool.wait { spool.session("all")?["turns"]?.int == 2 && spool.session("ends")?["turns"]?.int == 1 })
        #expect(daemon.stop() == 0)
    }

    @Test func nothingIsSentWhenNothingChanged() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("boss", #", "coordinates": {"queues": ["default"]}"#)
        spool.pause()
        spool.drop("job", #"{"run": ["true"]}"#)
        let first = TestDaemon(spool)
        #expect(spool.wait { spool.wakes(of: "boss").count == 1 })
        spool.unpause()
        #expect(spool.wait { spool.outcome("job") == "succeeded" && spool.wakes(of: "boss").allSatisfy { spool.outcome($0) != nil } })
        let turns = agent.prompts.count
        let wakes = spool.wakes(of: "boss")
        // Sweeps, signals, restarts, configuration that is the same, a schedule whose work is nobody's: none is news.
        for _ in 0..<3 { first.send(SIGUSR1) }
        spool.defineSession("boss", #", "coordinates": {"queues": ["default"]}"#)
        spool.configure("schedules/tick", #"{"every": "1s", "task": {"run": ["true"], "queue": "elsewhere"}}"#)
        #expect(spool.wait { spool.list("done").filter { $0.hasPrefix("tick.") }.count >= 2 })
        first.kill9()
        let second = TestDaemon(spool)
        second.send(SIGUSR1)
        #expect(spool.wait { spool.list("done").filter { $0.hasPrefix("tick.") }.count >= 4 })
        #expect(agent.prompts.count == turns)
        #expect(spool.wakes(of: "boss") == wakes)
        #expect(second.stop() == 0)
    }

    @Test func aWakeWhoseReasonsNoLongerHoldIsStale() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.configure("queues/work", #"{"slots": 0}"#)
        spool.defineSession("boss", #", "coordinates": {"queues": ["work"]}, "wake_on": ["queued"]"#)
        let daemon = TestDaemon(spool)
        spool.drop("busy", #"{"session": "boss", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin busy"))
        for id in ["gone", "done"] { spool.drop(id, #"{"run": ["true"], "queue": "work"}"#) }
        #expect(spool.reaches("queued", "gone") && spool.reaches("queued", "done"))
        let wake = try #require(spool.wakes(of: "boss").first)
        spool.drop("cancel", #"{"cancel": "gone"}"#)
        spool.configure("queues/work", #"{"slots": 1}"#)
        #expect(spool.outcome("gone") == "cancelled")
        #expect(spool.outcome("done") == "succeeded")
        gate.open()
        #expect(spool.outcome(wake) == "stale")
        #expect(spool.wake(wake)?["outcome"]?.string == "stale")
        #expect(spool.wake(wake)?["reasons"]?.array?.compactMap { $0["job"]?.string }.sorted() == ["done", "gone"])
        #expect(spool.tries(wake) == ["heartbeat skipped prompt_active"])
        #expect(agent.prompts.map(\.name) == ["busy.1"])
        #expect(!spool.lines("sessions/boss/transcript.jsonl").contains { $0["turn"]?.string == wake })
        #expect(daemon.stop() == 0)
    }

    @Test func reasonsThatNoLongerHoldAreLeftOutOfAWakeThatHasOthers() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.configure("queues/work", #"{"slots": 0}"#)
        spool.defineSession("boss", #", "coordinates": {"queues": ["work"]}, "wake_on": ["queued"]"#)
        let daemon = TestDaemon(spool)
        spool.drop("busy", #"{"session": "boss", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin busy"))
        for id in ["gone", "there"] { spool.drop(id, #"{"run": ["true"], "queue": "work"}"#) }
        #expect(spool.reaches("queued", "gone") && spool.reaches("queued", "there"))
        let wake = try #require(spool.wakes(of: "boss").first)
        spool.drop("cancel", #"{"cancel": "gone"}"#)
        #expect(spool.outcome("gone") == "cancelled")
        gate.open()
        #expect(spool.outcome(wake) == "succeeded")
        #expect(agent.prompts(of: wake).first?.contains("- job there of") == true)
        #expect(agent.prompts(of: wake).first?.contains("gone") == false)
        #expect(daemon.stop() == 0)
    }

    @Test func aWakeThatComesTooLateIsExpiredAndTakesNoOtherReasonWithIt() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let agent = ScriptAgent(spool, gate: gate.path)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.drop("busy", #"{"session": "boss", "prompt": "GATE"}"#)
        #expect(agent.comes(to: "begin busy"))
        spool.drop("brief", #"{"wake": "boss", "reason": "now or never", "expires_in": "1s"}"#)
        #expect(spool.tells("accepted", of: "brief"))
        spool.drop("job", #"{"run": ["true"], "notify": "boss"}"#)
        #expect(spool.outcome("brief") == "expired")
        #expect(spool.wake("brief")?["outcome"]?.string == "expired")
        #expect(spool.outcome("job") == "succeeded")
        gate.open()
        let other = try #require(spool.wakes(of: "boss").first { $0 != "brief" })
        #expect(spool.outcome(other) == "succeeded")
        #expect(told(agent) == ["- job job of the queue default has succeeded — true"])
        #expect(daemon.stop() == 0)
    }

    @Test func aWakeForLaterMakesNoOtherReasonLate() throws {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        spool.defineSession("boss")
        let daemon = TestDaemon(spool)
        spool.drop("later", #"{"wake": "boss", "reason": "tea", "delay": "1h"}"#)
        #expect(spool.reaches("waiting", "later"))
        spool.drop("job", #"{"run": ["true"], "notify": "boss"}"#)
        spool.drop("now", #"{"wake": "boss", "reason": "now"}"#)
        #expect(spool.wait { told(agent).count == 2 })
        #expect(!told(agent).contains("- tea"))
        spool.drop("later-2", #"{"wake": "boss", "reason": "supper", "delay": "2h"}"#)
        #expect(spool.reaches("waiting", "later-2"))
        #expect(daemon.stop() == 0)
    }
}
