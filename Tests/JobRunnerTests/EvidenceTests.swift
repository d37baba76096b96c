import CLinux
import Glibc
import JobRunner
import SpoolFormat
import Testing

@Suite struct `What a directory says of its attempt` {
    @Test func `when the runner is killed the attempt is lost, and what is left of it is ended`() throws {
        // As a daemon that orphans are handed to: its own children are not spared.
        try #require(rouse_set_child_subreaper() == 0)
        let lab = try Lab()
        let bystander = try Lab()
        let (line, otherLine) = (try Line(in: lab), try Line(in: bystander))
        let (runner, other) = (try lab.startRunner(), try bystander.startRunner())
        let script = "(setsid sh -c 'echo $$ > LINE; exec sleep 1000' &) ; env -i sh -c 'echo $$ > LINE; sleep 1000; :' & echo $$ > LINE; wait; sleep 1000"
        try lab.begin(script.split(separator: "LINE").joined(separator: line.path), on: runner)
        try bystander.begin("echo $$ > \(otherLine.path); exec sleep 1000", on: other)
        let processes = try line.processes(3)
        let untouched = try otherLine.processes(1)[0]
        let guardian = try Watched(runner.identity.pid)
        guardian.send(SIGKILL)
        try #require(guardian.hasEnded())
        #expect(isReadable(runner.descriptor))
        #expect(runner.receive().isEmpty)
        #expect(runner.isClosed)
        guard case (let record?, .lost) = try AttemptEvidence.examine(lab.job()) else { throw Problem("not lost") }
        #expect(record.attempt == 1)

        #expect(Orphans.endAll(ofJobDirectory: lab.path + "/running/job", attempt: 2) == 0)
        #expect(Orphans.endAll(ofJobDirectory: lab.path + "/running/jo", attempt: 1) == 0)
        #expect(!processes[0].hasEnded(within: 0))
        #expect(Orphans.endAll(ofJobDirectory: lab.path + "/running/job", attempt: 1) >= 3)
        for process in processes { #expect(process.hasEnded()) }
        ChildReaper.reapAll()
        for process in processes { #expect(eventually { state(of: process.pid) == nil }) }
        #expect(Orphans.endAll(ofJobDirectory: lab.path + "/running/job", attempt: 1) == 0)
        #expect(!untouched.hasEnded(within: 0))
    }

    @Test func `without a log the program was never started`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let guardian = try Watched(runner.identity.pid)
        try lab.write(["true"], runner: runner.identity)
        guard case .alive(let adopted) = try AttemptEvidence.examine(lab.job()).1 else { throw Problem("not alive") }
        runner.close()
        #expect(isReadable(adopted.descriptor))
        try #require(guardian.hasEnded())
        guard case (_?, .neverStarted) = try AttemptEvidence.examine(lab.job()) else { throw Problem("started") }
        try lab.job().write([], to: "log")
        guard case (_?, .lost) = try AttemptEvidence.examine(lab.job()) else { throw Problem("not lost") }
    }

    @Test func `an exit record of another attempt says nothing of this one`() throws {
        let lab = try Lab()
        let gone = ProcessIdentity(pid: 1, startTime: 1, bootID: "never")
        try lab.write(["true"], runner: gone, attempt: 2)
        var exit = ExitRecord(attempt: 1, cause: .exited, exitCode: 0, startedAt: .now, finishedAt: .now, durationMilliseconds: 0)
        try lab.job().write(JSONWriter.write(exit.json), to: "exit.json")
        guard case (_?, .neverStarted) = try AttemptEvidence.examine(lab.job()) else { throw Problem("taken for this one") }
        exit.attempt = 2
        try lab.job().write(JSONWriter.write(exit.json), to: "exit.json")
        guard case (_?, .finished) = try AttemptEvidence.examine(lab.job()) else { throw Problem("not finished") }
    }

    @Test func `a directory without a record is examined all the same`() throws {
        let lab = try Lab()
        try lab.spool.directory("running").makeDirectory("job")
        guard case (nil, .neverStarted) = try AttemptEvidence.examine(lab.job()) else { throw Problem("not examined") }
        try lab.job().write(Array("{".utf8), to: "run.json")
        try lab.job().write([], to: "log")
        guard case (nil, .lost) = try AttemptEvidence.examine(lab.job()) else { throw Problem("not examined") }
    }

    @Test func `a runner that can't be started is an error that says so`() throws {
        #expect(throws: SystemFault("start", "/no/such/runner", errno: ENOENT)) {
            try RunnerProcess.spawn(executable: "/no/such/runner", spool: "/")
        }
    }
}

@Suite struct `The outcome of an end` {
    private func outcome(_ cause: ExitRecord.Cause, code: Int? = nil, signal: Int? = nil, message: String? = nil) -> (Outcome, ErrorRecord?) {
        ExitRecord(
            attempt: 1, cause: cause, exitCode: code, signal: signal, startedAt: .now, finishedAt: .now,
            durationMilliseconds: 1, message: message
        ).outcome
    }

    @Test func `each end has one`() {
        #expect(outcome(.exited, code: 0) == (.succeeded, nil))
        #expect(outcome(.exited, code: 3) == (.failed, ErrorRecord("exit_code", "exited with code 3", retryable: true)))
        #expect(outcome(.exited, signal: 9) == (.failed, ErrorRecord("signal", "ended by signal 9 (KILL)", retryable: true)))
        #expect(outcome(.exited, signal: 31).1?.message == "ended by signal 31 (SYS)")
        #expect(outcome(.exited, signal: 40).1?.message == "ended by signal 40")
        #expect(outcome(.timeout, code: 0, message: "took longer than 5s") == (.timedOut, ErrorRecord("timed_out", "took longer than 5s", retryable: true)))
        #expect(outcome(.cancelled, signal: 15).0 == .cancelled)
        #expect(outcome(.unstartable, message: "cannot") == (.failed, ErrorRecord("unstartable", "cannot", retryable: false)))
    }
}

@Suite struct `Messages` {
    @Test func `each is read as it was written`() throws {
        let id = try #require(JobID("a.b-c"))
        let record = ExitRecord(attempt: 3, cause: .exited, exitCode: 1, startedAt: .now, finishedAt: .now, durationMilliseconds: 5, message: "line\nline")
        for message: RunnerMessage in [
            .run(id, attempt: 3), .cancel(id, attempt: 3), .exit(id, attempt: 3, record),
            .refused(id, attempt: 3, reason: "two\nlines"),
        ] {
            #expect(RunnerMessage(message.bytes) == message)
        }
    }

    @Test(arguments: ["", "run", "run a", "run a 0", "run a -1", "run a b", "run ../a 1", "stop a 1", "exit a 1\n{}", "exit a 1\n{"])
    func `what is none is not taken for one`(text: String) {
        #expect(RunnerMessage(Array(text.utf8)) == nil)
    }
}
