import Glibc
import SpoolFormat
import TestSupport
import Testing

@Suite struct PruneTests {
    let spool = TestSpool()

    private func fill() {
        for number in 1...5 {
            var result = spool.result("j\(number)", .succeeded)
            result.finishedAt = Timestamp(milliseconds: Timestamp.now.milliseconds - Int64(number) * 86_400_000)
            spool.make("j\(number)", .done, sequence: Int64(number), result: result, log: "log\n")
        }
        spool.make("wait", .waiting, sequence: 6)
        spool.make("queue", .queued, sequence: 7)
        spool.make("live", .running, sequence: 8, attempt: 1)
    }

    private func archive() -> [JSON] {
        spool.names("archive").flatMap { (spool.text("archive/" + $0) ?? "").split(separator: "\n") }
            .compactMap { try? JSONReader.read(String($0)) }
    }

    @Test func whatIsOlderGoesToTheArchive() throws {
        fill()
        #expect(Shell(spool).rouse("reindex").code == 0)
        let answer = Shell(spool).rouse("prune", "--older-than", "60h")
        #expect(answer.code == 0 && answer.output == "3 jobs forgotten\n", "\(answer.errors)")
        #expect(spool.names("done") == ["j1", "j2"] && spool.names(".staging").isEmpty)
        #expect(archive().compactMap { $0["id"]?.string } == ["j5", "j4", "j3"])
        #expect(archive().allSatisfy { $0["outcome"] == "succeeded" && $0["task"]?["run"] == ["true"] })
        #expect(Shell(spool).rouse("list", "--json").json?.array?.count == 5)
        #expect(spool.exists("waiting/wait") && spool.exists("queued/queue") && spool.exists("running/live"))
        #expect(Shell(spool).rouse("wait", "j5").code == 66)
    }

    @Test func ofEachQueueTheNewestStay() {
        fill()
        var options = TaskOptions()
        options.queue = "night"
        spool.make("n", .failed, sequence: 9, options, result: spool.result("n", .lost))
        let trial = Shell(spool).rouse("prune", "--keep", "2", "--dry-run")
        #expect(trial.lines == ["done/j5", "done/j4", "done/j3"] && trial.errors.contains("3 would be forgotten"))
        #expect(spool.names("done").count == 5 && archive().isEmpty)
        #expect(Shell(spool).rouse("prune", "--keep", "2").code == 0)
        #expect(spool.names("done") == ["j1", "j2"] && spool.names("failed") == ["n"])
        #expect(Shell(spool).rouse("prune", "--keep", "0").output == "3 jobs forgotten\n")
    }

    @Test func withoutOptionsTheRulesOfTheQueuesHold() {
        fill()
        #expect(Shell(spool).rouse("prune").output == "0 jobs forgotten\n")
        spool.configure("queues/default", #"{"keep": {"count": 1}}"#)
        #expect(Shell(spool).rouse("prune").output == "4 jobs forgotten\n")
    }

    @Test func whatIsNoJobStays() {
        spool.make("x", .done, result: spool.result("x", .succeeded))
        symlink(spool.path + "/done/x", spool.path + "/done/link")
        mkdir(spool.path + "/done/.hidden", 0o700)
        mkdir(spool.path + "/done/stranger", 0o700)
        spool.write("note", to: spool.path + "/done/note.txt")
        spool.write("{", to: spool.make("broken", .done, sequence: 2) + "/task.json")
        spool.make("unwritten", .done, sequence: 3)
        let answer = Shell(spool).rouse("prune", "--older-than", "0s")
        #expect(answer.output == "1 job forgotten\n" && answer.errors.contains("broken"))
        #expect(spool.names("done") == [".hidden", "broken", "link", "note.txt", "stranger", "unwritten"])
    }

    @Test func whatACrashHasLeftIsFinished() {
        spool.make("x", .done, result: spool.result("x", .succeeded))
        spool.make("y", .done, sequence: 2, result: spool.result("y", .succeeded))
        spool.move("done/x", ".staging/@forget-x")
        spool.move("done/y", ".staging/@trash-y")
        #expect(Shell(spool).rouse("prune").code == 0)
        #expect(spool.names(".staging").isEmpty && archive().compactMap { $0["id"]?.string } == ["x"])
    }

    @Test func aRunningDaemonLearnsOfIt() {
        let daemon = TestDaemon(spool)
        #expect(Shell(spool).rouse("drop", "--wait", "--id", "x", "--", "true").code == 0)
        #expect(Shell(spool).rouse("prune", "--keep", "0").output == "1 job forgotten\n")
        #expect(spool.wait { Shell(spool).rouse("list", "--json").output == "[]\n" })
        #expect(daemon.isRunning)
        // The name is free again.
        #expect(Shell(spool).rouse("drop", "--wait", "--id", "x", "--", "true").code == 0)
    }

    @Test(arguments: [["--older-than", "7"], ["--keep", "-1"], ["x"]]) func badOptionsAreFaultsOfUsage(arguments: [String]) {
        #expect(Shell(spool).rouse(["prune"] + arguments).code == 64)
    }
}
