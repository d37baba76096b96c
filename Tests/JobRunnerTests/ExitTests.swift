import Glibc
import JobRunner
import SpoolFormat
import Testing

@Suite struct `How a program ended` {
    @Test(arguments: [0, 1, 3, 126, 127, 255])
    func `the exit code is the program's own`(code: Int) throws {
        let record = try Lab().run("exit \(code)")
        #expect(record.cause == .exited)
        #expect(record.exitCode == code)
        #expect(record.signal == nil)
        #expect(record.message == nil)
        #expect(record.leftBehind == 0)
    }

    /// Every signal that ends a program by default: none is ignored or blocked in it.
    @Test(arguments: Array(1...16) + [24, 25, 26, 27, 29, 30, 31])
    func `a signal is told by its number`(signal: Int) throws {
        let record = try Lab().run("kill -\(signal) $$; exit 9")
        #expect(record.cause == .exited)
        #expect(record.exitCode == nil)
        #expect(record.signal == signal)
    }

    @Test func `time and memory of all its processes are counted`() throws {
        let record = try Lab().run("sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; exit 0")
        #expect(record.resources.userMilliseconds > 20)
        #expect(record.resources.maxRSSBytes > 1 << 19)
        #expect(record.durationMilliseconds >= record.resources.userMilliseconds / 2)
        #expect(record.finishedAt >= record.startedAt)
    }

    @Test func `a program that closes its output ends as any other`() throws {
        #expect(try Lab().run("exec <&- >&- 2>&-; exit 5").exitCode == 5)
    }

    @Test func `an end while a child holds the log is seen at once`() throws {
        let lab = try Lab()
        let record = try lab.run("sleep 1000 & echo started; exit 4")
        #expect(record.exitCode == 4)
        #expect(record.leftBehind == 1)
        #expect(record.durationMilliseconds < 30_000)
        #expect(try lab.log() == "started\n")
    }

    /// The program's end and the cancel are there at the same moment: the runner is stopped while both come about.
    @Test func `a cancel that comes with the end does not change it`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        let go = try Line(in: lab, "line.go")
        try lab.begin("echo $$ > \(line.path); read x < \(go.path); exit 7", on: runner)
        let program = try line.processes(1)[0]
        let guardian = try Watched(runner.identity.pid)
        guardian.send(SIGSTOP)
        try #require(eventually { state(of: guardian.pid) == "T" })
        try go.write("go")
        try #require(program.hasEnded())
        runner.cancel(JobID("job")!, attempt: 1)
        guardian.send(SIGCONT)
        let record = try lab.exit(of: runner)
        #expect(record.cause == .exited)
        #expect(record.exitCode == 7)
    }

    @Test func `a deadline that passes with the end does not change it`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        let go = try Line(in: lab, "line.go")
        try lab.begin("echo $$ > \(line.path); read x < \(go.path); exit 7", on: runner) { $0.timeout = .seconds(2) }
        let program = try line.processes(1)[0]
        let guardian = try Watched(runner.identity.pid)
        guardian.send(SIGSTOP)
        try #require(eventually { state(of: guardian.pid) == "T" })
        let record = try #require(try lab.job().read("run.json").map { try RunRecord.read(JSONReader.read($0.bytes)) })
        try go.write("go")
        try #require(program.hasEnded())
        #expect(eventually { Timestamp.now > record.deadline + .seconds(1) })
        guardian.send(SIGCONT)
        let exit = try lab.exit(of: runner)
        #expect(exit.cause == .exited)
        #expect(exit.exitCode == 7)
    }
}

/// The letter of a process's state.
func state(of pid: Int32) -> String? {
    guard let file = fopen("/proc/\(pid)/stat", "re") else { return nil }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 512)
    guard fgets(&buffer, 512, file) != nil else { return nil }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.split(separator: ")").last?.split(separator: " ").first.map(String.init)
}
