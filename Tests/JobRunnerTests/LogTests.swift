import CLinux
import Glibc
import JobRunner
import SpoolFormat
import Testing

@Suite struct `The log` {
    @Test func `output and errors are there in the order they came`() throws {
        let lab = try Lab()
        _ = try lab.run("echo one; echo two >&2; printf three")
        #expect(try lab.log() == "one\ntwo\nthree")
        #expect(try lab.job().status("log")?.mode == 0o600)
    }

    /// The program waits at each step until the test has seen that the room was given back, while it runs.
    @Test func `output without end takes up no more room than its limit allows`() throws {
        let lab = try Lab()
        let (said, go) = (try Line(in: lab, "said"), try Line(in: lab, "go"))
        let runner = try lab.startRunner()
        let step = "seq $1 $2; echo done > \(said.path); read x < \(go.path)"
        let script = "step() { \(step); }; step 1000001 5000000; step 5000001 9999999; step 10000000 36000000"
        try lab.begin(script, on: runner) { $0.limits.logBytes = 1 << 20 }
        for _ in 0..<3 {
            #expect(try said.next() == "done")
            #expect(try eventually(within: 20) { try lab.job().status("log")!.allocated <= 1 << 20 + 64 << 10 })
            try go.write("go")
        }
        let record = try lab.exit(of: runner)
        // 8,999,999 numbers of seven digits, 26,000,001 of eight, and their line feeds.
        let total = 8_999_999 * 8 + 26_000_001 * 9
        #expect(record.logBytesLeftOut == total - 1 << 20)
        #expect(record.message == nil)

        let half = 1 << 19
        var head = ""
        for number in 1_000_001...(1_000_001 + half / 8) { head += "\(number)\n" }
        var tail = ""
        for number in (36_000_000 - half / 9 - 1)...36_000_000 { tail += "\(number)\n" }
        let headBytes = Array(head.utf8.prefix(half))
        let line = "[rouse: \(record.logBytesLeftOut) bytes left out]\n"
        let expected = headBytes + Array(((headBytes.last == 10 ? "" : "\n") + line).utf8) + Array(tail.utf8.suffix(half))
        #expect(Array(try lab.log().utf8) == expected)
        #expect(try lab.job().entries().map(\.name.display).sorted() == ["exit.json", "log", "run.json", "work"])
    }

    @Test func `a log exactly at its limit is left alone, and one byte more is not`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let exact = try lab.run("printf %08192d 7", on: runner, id: "exact") { $0.limits.logBytes = 8192 }
        #expect(exact.logBytesLeftOut == 0)
        #expect(try lab.log("exact").utf8.count == 8192)
        let more = try lab.run("printf %08193d 7", on: runner, id: "more") { $0.limits.logBytes = 8192 }
        #expect(more.logBytesLeftOut == 1)
        let zeros = String(repeating: "0", count: 4096)
        #expect(try lab.log("more") == zeros + "\n[rouse: 1 bytes left out]\n" + zeros.dropLast() + "7")
    }

    @Test func `a program may cut its own log short`() throws {
        let lab = try Lab()
        let script = "seq 1 9999; : > \(lab.path)/running/job/log; printf end"
        #expect(try lab.run(script) { $0.limits.logBytes = 4096 }.logBytesLeftOut == 0)
        #expect(try lab.log() == "end")
    }

    @Test func `the log is locked while the runner lives, and not by its program`() throws {
        let lab = try Lab()
        let line = try Line(in: lab)
        let runner = try lab.startRunner()
        try lab.begin("echo $$ > \(line.path); exec sleep 1000", on: runner)
        let program = try line.processes(1)[0]
        let log = rouse_open(lab.path + "/running/job/log", O_RDONLY | O_CLOEXEC, 0)
        try #require(log >= 0)
        defer { close(log) }
        #expect(rouse_lock_file(log) != 0 && errno == EWOULDBLOCK)
        let guardian = try Watched(runner.identity.pid)
        guardian.send(SIGKILL)
        try #require(guardian.hasEnded())
        #expect(!program.hasEnded(within: 0))
        #expect(rouse_lock_file(log) == 0)
        program.send(SIGKILL)
        #expect(program.hasEnded())
    }
}
