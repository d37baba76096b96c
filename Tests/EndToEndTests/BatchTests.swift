import SpoolFormat
import Testing
import TestSupport

@Suite struct BatchTests {
    @Test func theTasksOfABatchDependOnEachOtherByPositionAndById() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("batch", #"""
            {"labels": {"run": "7"}, "tasks": [
              {"run": ["true"], "after": [1, "third"]},
              {"run": ["true"], "after": ["third"]},
              {"run": ["true"], "id": "third", "labels": {"own": "yes"}}
            ]}
            """#)
        let result = try #require(spool.finished("batch"))
        #expect(result["outcome"]?.string == "succeeded")
        #expect(result["output"]?["jobs"] == ["batch.0", "batch.1", "third"])
        for id in ["batch.0", "batch.1", "third"] { #expect(spool.outcome(id) == "succeeded") }
        #expect(spool.tells("finished", of: "batch.0"))
        #expect(spool.started == ["third", "batch.1", "batch.0"])
        #expect(spool.json("done/third/task.json")?["labels"]?["run"]?.string == "7")
        #expect(spool.json("done/third/task.json")?["labels"]?["own"]?.string == "yes")
        #expect(daemon.stop() == 0)
    }

    @Test func aBatchIsAcceptedAsAWholeOrNotAtAll() throws {
        let spool = TestSpool()
        spool.configure("queues/closed", #"{"accept": {"verbs": []}}"#)
        let daemon = TestDaemon(spool)
        spool.drop("taken", #"{"run": ["true"]}"#)
        #expect(spool.outcome("taken") == "succeeded")
        let bad = [
            ("unknown", #"{"run": ["true"], "tmeout": "1s"}"#, "unknown_field", "tasks[2].tmeout"),
            ("used", #"{"run": ["true"], "id": "taken"}"#, "id_in_use", "tasks[2].id"),
            ("twice", #"{"run": ["true"], "id": "twice.0"}"#, "id_in_use", "tasks[2].id"),
            ("round", #"{"run": ["true"], "after": [2]}"#, "bad_value", "tasks[2].after[0]"),
            ("circle", #"{"run": ["true"], "id": "c", "after": [0]}"#, "cycle", "tasks[0].after"),
            ("queue", #"{"run": ["true"], "queue": "closed"}"#, "verb_not_accepted", "tasks[2].run"),
        ]
        for (name, element, code, field) in bad {
            spool.drop(name, #"{"tasks": [{"run": ["true"], "after": ["c"]}, {"run": ["true"]}, \#(element)]}"#)
            let rejection = try #require(spool.rejection(of: name), "\(name)")
            #expect(rejection["code"]?.string == code, "\(name)")
            #expect(rejection["where"]?["field"]?.string == field, "\(name)")
            #expect(rejection["where"]?["line"]?.int == 1, "\(name)")
        }
        #expect(spool.events().filter { $0["event"]?.string == "accepted" }.count == 1)
        #expect(["waiting", "queued", "running", "failed"].allSatisfy { spool.list($0).isEmpty })
        #expect(daemon.stop() == 0)
    }

    @Test func aFileThatTakesTheIdOfABatchesTaskGetsAnotherOne() throws {
        let spool = TestSpool()
        // Both are there when the daemon looks: the batch first, by the time of its change.
        spool.drop("batch", #"{"tasks": [{"run": ["true"], "id": "x"}, {"run": ["true"]}]}"#)
        spool.drop("x", #"{"run": ["echo", "file"]}"#)
        let daemon = TestDaemon(spool)
        #expect(spool.outcome("batch") == "succeeded")
        #expect(spool.outcome("x") == "succeeded")
        #expect(spool.wait { spool.list("done").count == 4 })
        #expect(spool.list("done").filter { $0.hasPrefix("x-") }.count == 1)
        spool.drop("after", #"{"cancel": "nobody"}"#)
        #expect(spool.outcome("after") == "failed")
        #expect(daemon.stop() == 0)
    }
}
