import Dispatch
import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Many reasons at once for a coordinator that sleeps: one session, one process, one prompt that lists them all.
@Suite struct ManyReasonsTests {
    private static let writers = 8
    private static let reasons = 200
    /// No writer, however slow, is to be mistaken for quiet.
    private static let quiet = ["ROUSE_TEST_WAKE_QUIET": "3s"]

    /// Half of the reasons are asked for, half are jobs that are queued.
    private static func drop(_ number: Int, _ spool: TestSpool) {
        let id = "r\(number)"
        spool.drop(id, number % 2 == 0
            ? #"{"wake": "boss", "reason": "reason \#(number)"}"#
            : #"{"run": ["true"], "queue": "work"}"#)
    }

    private static func prepare(_ spool: TestSpool) -> ScriptAgent {
        let agent = ScriptAgent(spool)
        spool.configure("queues/work", #"{"slots": 0}"#)
        spool.defineSession("boss", #", "coordinates": {"queues": ["work"]}"#)
        return agent
    }

    /// Has all writers drop their share, and waits for none of them.
    private static func write(_ spool: TestSpool, _ numbers: Range<Int>, in group: DispatchGroup) {
        for writer in 0..<writers {
            group.enter()
            DispatchQueue(label: "writer \(writer)").async {
                for number in numbers where number % writers == writer { drop(number, spool) }
                group.leave()
            }
        }
    }

    private static func check(_ spool: TestSpool, _ agent: ScriptAgent) throws {
        #expect(spool.wait { (spool.session("boss")?["turns"]?.int ?? 0) > 0 && spool.session("boss")?["state"]?.string == "cold" })
        #expect(spool.wait { spool.wakes(of: "boss").allSatisfy { spool.result(of: $0) != nil } })
        let outcomes = spool.wakes(of: "boss").map { ($0, spool.wake($0)?["outcome"]?.string) }
        let sent = outcomes.filter { $0.1 == "sent" }.map(\.0)
        try #require(sent.count == 1, "\(sent)")
        #expect(outcomes.allSatisfy { $0.1 == "sent" || $0.1 == "coalesced" })
        #expect(agent.prompts.map(\.name) == ["\(sent[0]).1"])
        #expect(agent.story == ["begin \(sent[0]) new", "end \(sent[0])"])
        #expect(spool.list("sessions") == ["boss"])
        #expect(spool.tries(sent[0]) == ["direct sent"])

        let expected = Set((0..<reasons).map { $0 % 2 == 0 ? "reason \($0)" : "r\($0)" })
        let told = (spool.wake(sent[0])?["reasons"]?.array ?? []).compactMap { $0["text"]?.string ?? $0["job"]?.string }
        #expect(told.count == reasons)
        #expect(Set(told) == expected)
        let lines = try #require(agent.prompts.first).text.split(separator: "\n").filter { $0.hasPrefix("- ") }
        #expect(lines.count == reasons)
        #expect(Set(lines) == Set((0..<reasons).map { $0 % 2 == 0 ? "- reason \($0)" : "- job r\($0) of the queue work is queued — true" }))
        let turns = spool.lines("sessions/boss/transcript.jsonl").compactMap { $0["turn"]?.string }
        #expect(turns == [sent[0], sent[0]])
    }

    @Test func simultaneousReasonsWakeASleepingCoordinatorOnceWithOnePrompt() throws {
        let spool = TestSpool()
        let agent = Self.prepare(spool)
        let daemon = TestDaemon(spool, environment: Self.quiet)
        let group = DispatchGroup()
        Self.write(spool, 0..<Self.reasons, in: group)
        group.wait()
        try Self.check(spool, agent)
        #expect(daemon.stop() == 0)
    }

    @Test func soDoTheyWhereTheDaemonIsKilledAgainAndAgainMeanwhile() throws {
        let spool = TestSpool()
        let agent = Self.prepare(spool)
        let share = Self.reasons / 10
        var daemons = [TestDaemon(spool, environment: Self.quiet)]
        for round in 0..<10 {
            let group = DispatchGroup()
            Self.write(spool, round * share..<(round + 1) * share, in: group)
            // Not to wait for anything: to be somewhere else in its work each time.
            usleep(UInt32.random(in: 0...30_000))
            daemons.last!.kill9()
            group.wait()
            daemons.append(TestDaemon(spool, environment: Self.quiet))
        }
        try Self.check(spool, agent)
        #expect(daemons.last!.stop() == 0)
    }
}
