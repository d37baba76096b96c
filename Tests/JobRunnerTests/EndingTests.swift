import CLinux
import Glibc
import JobRunner
import SpoolFormat
import Testing

@Suite struct `How a program is ended` {
    @Test func `a time limit ends grandchildren that ignore TERM in sessions of their own`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        let stubborn = "trap '' TERM; echo $$ > \(line.path); while :; do sleep 1000; done"
        try lab.begin("trap '' TERM; setsid sh -c \"\(stubborn)\" & (setsid sh -c \"\(stubborn)\" &) ; echo $$ > \(line.path); wait; sleep 1000", on: runner) {
            $0.timeout = TimeSpan(milliseconds: 1500)
            $0.grace = TimeSpan(milliseconds: 300)
        }
        let processes = try line.processes(3)
        let record = try lab.exit(of: runner)
        #expect(record.cause == .timeout)
        #expect(record.exitCode == nil)
        #expect(record.signal == Int(SIGKILL))
        #expect(record.message == "took longer than 1s500ms")
        #expect(record.durationMilliseconds >= 1800)
        for process in processes { #expect(process.hasEnded(within: 0)) }
    }

    @Test func `a program that heeds TERM ends with its own code, and the cause still tells the time limit`() throws {
        let record = try Lab().run("trap 'kill $!; exit 6' TERM; sleep 1000 & wait") { $0.timeout = TimeSpan(milliseconds: 300) }
        #expect(record.cause == .timeout)
        #expect(record.exitCode == 6)
        #expect(record.durationMilliseconds < 9000)
    }

    @Test func `a stopped program is ended too`() throws {
        let record = try Lab().run("kill -STOP $$; exit 1") { $0.timeout = TimeSpan(milliseconds: 300) }
        #expect(record.cause == .timeout)
        #expect(record.signal == Int(SIGTERM))
    }

    @Test func `a daemon left behind is gone before the record is there`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        let go = try Line(in: lab, "go")
        try lab.begin("(setsid sh -c 'trap \"\" HUP; echo $$ > \(line.path); exec sleep 1000' &) ; read x < \(go.path); exit 0", on: runner)
        let left = try line.processes(1)[0]
        try go.write("go")
        let record = try lab.exit(of: runner)
        #expect(record.exitCode == 0)
        #expect(record.leftBehind == 1)
        #expect(left.hasEnded(within: 0))
    }

    @Test func `processes that start others faster than they are ended all end`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        try lab.spool.write(
            Array("trap '' TERM\n[ $1 -gt 0 ] || exec sleep 1000\nsh $0 $(($1-1)) & sh $0 $(($1-1)) &\necho x > \(line.path)\nwhile :; do sleep 1000 & wait; done\n".utf8),
            to: "bomb")
        try lab.begin(["sh", lab.path + "/bomb", "6"], on: runner) { $0.grace = TimeSpan(milliseconds: 10) }
        for _ in 0..<20 { _ = try line.next() }
        let before = ProcessTreeProbe.descendants(of: runner.identity.pid)
        #expect(before.count >= 20)
        runner.cancel(JobID("job")!, attempt: 1)
        let record = try lab.exit(of: runner)
        #expect(record.cause == .cancelled)
        #expect(ProcessTreeProbe.descendants(of: runner.identity.pid).isEmpty)
        #expect(before.allSatisfy { ProcessTreeProbe.isGone($0) })
    }

    @Test func `a cancel ends the running attempt and no other`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        try lab.begin("echo $$ > \(line.path); exec sleep 1000", on: runner)
        let program = try line.processes(1)[0]
        runner.cancel(JobID("other")!, attempt: 1)
        runner.cancel(JobID("job")!, attempt: 2)
        // Refused in its turn, so the two cancels have been read by now.
        try runner.run(JobID("other")!, attempt: 1)
        #expect(try lab.message(of: runner) == .refused(JobID("other")!, attempt: 1, reason: "busy with attempt 1 of job"))
        #expect(!program.hasEnded(within: 0))
        runner.cancel(JobID("job")!, attempt: 1)
        let record = try lab.exit(of: runner)
        #expect(record.cause == .cancelled)
        #expect(record.signal == Int(SIGTERM))
    }

    @Test func `when the daemon is gone the attempt goes on, and its runner ends after it`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        let go = try Line(in: lab, "go")
        try lab.begin("echo $$ > \(line.path); read x < \(go.path); exit 3", on: runner)
        _ = try line.processes(1)
        let guardian = try Watched(runner.identity.pid)
        runner.close()
        guard case .alive(let adopted) = try AttemptEvidence.examine(lab.job()).1 else { throw Problem("not alive") }
        try go.write("go")
        try #require(isReadable(adopted.descriptor))
        #expect(guardian.hasEnded())
        guard case .finished(let record) = try AttemptEvidence.examine(lab.job()).1 else { throw Problem("not finished") }
        #expect(record.cause == .exited)
        #expect(record.exitCode == 3)
    }

    @Test func `an adopted runner is told to cancel by a signal`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        try lab.begin("echo $$ > \(line.path); exec sleep 1000", on: runner)
        let program = try line.processes(1)[0]
        runner.close()
        guard case (let run?, .alive(let adopted)) = try AttemptEvidence.examine(lab.job()) else { throw Problem("not alive") }
        #expect(run.runner == runner.identity)
        adopted.cancel()
        try #require(isReadable(adopted.descriptor))
        #expect(program.hasEnded(within: 0))
        guard case .finished(let record) = try AttemptEvidence.examine(lab.job()).1 else { throw Problem("not finished") }
        #expect(record.cause == .cancelled)
    }

    @Test func `an idle runner ends with its socket, and not by TERM`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let guardian = try Watched(runner.identity.pid)
        #expect(try lab.run("exit 0", on: runner).exitCode == 0)
        guardian.send(SIGTERM)
        #expect(try lab.run("exit 8", on: runner, id: "second").exitCode == 8)
        runner.close()
        #expect(guardian.hasEnded())
    }

    @Test func `what was said before the daemon went is still done`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let guardian = try Watched(runner.identity.pid)
        guardian.send(SIGSTOP)
        try lab.begin("exit 2", on: runner)
        runner.close()
        guardian.send(SIGCONT)
        try #require(guardian.hasEnded())
        guard case .finished(let record) = try AttemptEvidence.examine(lab.job()).1 else { throw Problem("not finished") }
        #expect(record.exitCode == 2)
    }
}

enum ProcessTreeProbe {
    static func descendants(of pid: Int32) -> [Int32] {
        let children = text("/proc/\(pid)/task/\(pid)/children")
        return children.split(separator: " ").compactMap { Int32($0) }.flatMap { [$0] + descendants(of: $0) }
    }

    static func isGone(_ pid: Int32) -> Bool { [nil, "Z", "X"].contains(state(of: pid)) }

    static func text(_ path: String) -> String {
        let file = rouse_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
