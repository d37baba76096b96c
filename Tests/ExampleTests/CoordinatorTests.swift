import SpoolFormat
import Testing
import TestSupport

@Suite struct CoordinatorTests {
    /// The commands of the example's own text, run as they stand.
    @Test func theCoordinatorGoesFromStepToStepWithoutAPerson() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let text = try Repository.text("examples/coordinator/agent.sh")
        let commands = text.split(separator: "\n").filter { $0.hasPrefix("#   ") }.map { $0.dropFirst(4) }.joined(separator: "\n")
        let home = try Scratch(in: spool, ".home")
        let (code, output) = home.sh(commands, in: Repository.path)
        #expect(code == 0, "\(output)")
        #expect(spool.wait {
            spool.lines("sessions/planner/transcript.jsonl").contains { $0["text"]?.string?.hasSuffix("all is done\n") == true || $0["text"]?.string?.hasSuffix("all is done") == true }
        })
        for step in 1...3 {
            #expect(spool.finished("step-\(step)")?["output"] == ["step": .number(step)])
            // Each was dropped by a turn of the coordinator, and its end woke the coordinator.
            let parent = try #require(spool.json("done/step-\(step)/task.json")?["parent"]?.string)
            #expect(spool.wakes(of: "planner").contains(parent))
        }
        let wakes = spool.lines("sessions/planner/transcript.jsonl").filter { $0["role"]?.string == "user" }
        #expect(wakes.allSatisfy { $0["source"]?.string == "synthetic" })
        #expect(wakes.map { $0["reasons"]?.array?.first?["job"]?.string } == [nil, "step-1", "step-2", "step-3"])
        // It goes on to the end, and no further.
        #expect(spool.wait { spool.wakes(of: "planner").allSatisfy { spool.result(of: $0) != nil } })
        #expect(spool.wakes(of: "planner").count == 4)
        #expect(daemon.stop() == 0)
    }
}
