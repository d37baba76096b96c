import CLinux
import Glibc
import JobRunner
import SpoolFormat
import Testing

@Suite struct `A runner that is used again` {
    @Test func `two hundred attempts leave nothing behind in it`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let pid = runner.identity.pid
        func round(_ number: Int) throws {
            let record = try lab.run("seq 1 2000; (sleep 1000 &); exit \(number % 7)", on: runner, id: "job-\(number)") {
                $0.limits.logBytes = 4096
                $0.stdin = .text("x")
                if number % 2 == 0 { $0.limits.openFiles = 100 }
            }
            #expect(record.exitCode == number % 7)
            #expect(record.logBytesLeftOut > 0)
        }
        for number in 0..<50 { try round(number) }
        let descriptors = try Directory("/proc/\(pid)/fd").entries().count
        let memory = residentKilobytes(of: pid)
        for number in 50..<200 { try round(number) }
        #expect(try Directory("/proc/\(pid)/fd").entries().count == descriptors)
        #expect(descriptors <= 6)
        #expect(ProcessTreeProbe.descendants(of: pid).isEmpty)
        #expect(residentKilobytes(of: pid) <= memory + 256)
        #expect(residentKilobytes(of: pid) < 16 << 10)
    }

    private func residentKilobytes(of pid: Int32) -> Int {
        let line = ProcessTreeProbe.text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("VmRSS") }
        return line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) } ?? 0
    }
}

@Suite struct `The fence` {
    @Test func `a record for another runner is refused, and nothing is written`() throws {
        let lab = try Lab()
        let (runner, other) = (try lab.startRunner(), try lab.startRunner())
        let id = try lab.write(["touch", lab.path + "/ran"], runner: other.identity)
        try runner.run(id, attempt: 1)
        guard case .refused(id, attempt: 1, let reason) = try lab.message(of: runner) else { throw Problem("not refused") }
        #expect(reason.contains("by process \(other.identity.pid), this is process \(runner.identity.pid)"))
        var forged = runner.identity
        forged.startTime += 1
        try lab.write(["touch", lab.path + "/ran"], runner: forged)
        try runner.run(id, attempt: 1)
        guard case .refused = try lab.message(of: runner) else { throw Problem("not refused") }
        #expect(try lab.job().entries().map(\.name.display) == ["run.json"])
        #expect(!lab.spool.contains("ran"))
    }

    @Test func `what was prepared counts only where it is what is on disk`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        func prepare(_ word: String, id: String) throws {
            let id = try lab.write(["touch", "\(lab.path)/\(id)-\(word)"], id: id, runner: runner.identity)
            runner.prepare(id, attempt: 1, try #require(try lab.job(id.text).read("run.json")).bytes)
        }
        try prepare("prepared", id: "same")
        try runner.run(JobID("same")!, attempt: 1)
        #expect(try lab.exit(of: runner).exitCode == 0)
        // The environment that was made then, and not one that is made now.
        try lab.spool.write(Array("then".utf8), to: "value")
        let id = try lab.write(["sh", "-c", "echo $VALUE"], id: "made", runner: runner.identity) { $0.environment["VALUE"] = .file(lab.path + "/value") }
        runner.prepare(id, attempt: 1, try #require(try lab.job("made").read("run.json")).bytes)
        // It has taken the message, and has come to rest again.
        #expect(eventually {
            var waiting: Int32 = 0
            return ioctl(runner.descriptor, UInt(TIOCOUTQ), &waiting) == 0 && waiting == 0
                && ProcessTreeProbe.text("/proc/\(runner.identity.pid)/stat").contains(") S ")
        })
        try lab.spool.write(Array("now".utf8), to: "value")
        try runner.run(id, attempt: 1)
        #expect(try lab.exit(of: runner).exitCode == 0 && lab.log("made") == "then\n")
        try prepare("prepared", id: "changed")
        try lab.begin(["touch", lab.path + "/changed-written"], on: runner, id: "changed")
        #expect(try lab.exit(of: runner).exitCode == 0)
        // One that is prepared and never comes leaves no trace.
        try prepare("prepared", id: "never")
        #expect(try lab.run("true", on: runner, id: "other").exitCode == 0)
        #expect(lab.spool.contains("same-prepared") && lab.spool.contains("changed-written"))
        #expect(!lab.spool.contains("changed-prepared") && !lab.spool.contains("never-prepared"))
        #expect(try lab.job("never").entries().map(\.name.display) == ["run.json"])
    }

    @Test func `another attempt than the record's is refused`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let id = try lab.write(["true"], runner: runner.identity, attempt: 2)
        try runner.run(id, attempt: 1)
        guard case .refused = try lab.message(of: runner) else { throw Problem("not refused") }
        #expect(try lab.job().entries().count == 1)
    }

    @Test func `an attempt that has a log has begun, and is not begun again`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let id = try lab.write(["touch", lab.path + "/ran"], runner: runner.identity)
        try lab.job().write(Array("earlier\n".utf8), to: "log")
        try runner.run(id, attempt: 1)
        guard case .refused(_, _, let reason) = try lab.message(of: runner) else { throw Problem("not refused") }
        #expect(reason.contains("File exists"))
        #expect(try lab.log() == "earlier\n")
        #expect(!lab.spool.contains("ran"))
    }

    @Test func `a job's directory that is a link is refused`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let id = try lab.write(["true"], id: "real", runner: runner.identity)
        try #require(symlink("real", lab.path + "/running/job") == 0)
        try runner.run(JobID("job")!, attempt: 1)
        guard case .refused = try lab.message(of: runner) else { throw Problem("not refused") }
        #expect(try lab.job(id.text).entries().count == 1)
    }
}

@Suite struct `A disk that takes nothing` {
    /// The runner may write files of no size at all, as if the disk were full, and then may again.
    @Test func `the record is written as soon as it can be`() throws {
        let lab = try Lab()
        let (said, go) = (try Line(in: lab, "said"), try Line(in: lab, "go"))
        let runner = try lab.startRunner()
        try lab.begin("echo $$ > \(said.path); read x < \(go.path); exit 11", on: runner)
        _ = try said.processes(1)
        var limits = [UInt64](repeating: 0, count: 2)
        var before = limits
        limits[1] = .max
        try #require(syscall3(runner.identity.pid, &limits, &before) == 0)
        try go.write("go")
        #expect(eventually { ProcessTreeProbe.descendants(of: runner.identity.pid).isEmpty })
        #expect(!isReadable(runner.descriptor, within: 2))
        #expect(try !lab.job().contains("exit.json"))
        try #require(syscall3(runner.identity.pid, &before, &limits) == 0)
        #expect(try lab.exit(of: runner).exitCode == 11)
        #expect(try lab.job().contains("exit.json"))
    }

    @Test func `a job whose directory is removed does not hold its runner`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        try lab.begin("rm -rf \(lab.path)/running/job; exit 1", on: runner) { $0.cwd = "/" }
        #expect(try lab.exit(of: runner).exitCode == 1)
        #expect(try lab.run("exit 2", on: runner, id: "next").exitCode == 2)
    }

    private func syscall3(_ pid: Int32, _ new: inout [UInt64], _ old: inout [UInt64]) -> Int32 {
        rouse_exchange_file_size_limit(pid, &new, &old)
    }
}
