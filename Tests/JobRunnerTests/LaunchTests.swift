import CLinux
import Glibc
import JobRunner
import SpoolFormat
import Testing

@Suite struct `What a program is given` {
    @Test func `it knows its job`() throws {
        let lab = try Lab()
        setenv("ROUSE_RUNNER_TEST_INHERITED", "from the daemon", 1)
        _ = try lab.run("env; pwd") { $0.environment = ["OWN": .text("a b\nc"), "ROUSE_JOB_ID": .text("forged")] }
        let lines = try lab.log().split(separator: "\n").map(String.init)
        for expected in [
            "ROUSE_SPOOL=\(lab.path)", "ROUSE_INBOX=\(lab.path)/inbox", "ROUSE_JOB_ID=job", "ROUSE_ATTEMPT=1",
            "ROUSE_JOB_DIR=\(lab.path)/running/job", "ROUSE_RESULT=\(lab.path)/running/job/output.json", "OWN=a b", "c",
            "ROUSE_RUNNER_TEST_INHERITED=from the daemon", "PWD=\(lab.path)/running/job/work", "\(lab.path)/running/job/work",
        ] {
            #expect(lines.contains(expected))
        }
        #expect(!lines.contains("ROUSE_JOB_ID=forged"))
        #expect(try lab.job().status("work")?.mode == 0o700)
    }

    @Test func `it has a session of its own, default signals and no foreign descriptor`() throws {
        let lab = try Lab()
        let open = rouse_open("/dev/null", O_RDONLY, 0)
        defer { close(open) }
        // Not a shell: that would change what it is asked about.
        _ = try lab.run(["cat", "/proc/self/status"], id: "signals")
        let masks = try lab.log("signals").split(separator: "\n").filter { ["SigBlk", "SigIgn"].contains($0.prefix(6)) }
            .compactMap { UInt64($0.dropFirst(8), radix: 16) }
        // 32 and 33 are the C library's own, which it neither lets be set nor reset.
        #expect(masks.map { $0 & ~0x1_8000_0000 } == [0, 0])
        _ = try lab.run(["ls", "/proc/self/fd"], id: "descriptors")
        #expect(try lab.log("descriptors") == "0\n1\n2\n3\n", "3 is the directory that is listed")
        _ = try lab.run("read a b c d e f g < /proc/self/stat; echo $((a - f))", id: "session")
        #expect(try lab.log("session") == "0\n")
    }

    @Test func `it reads nothing, a text or a file`() throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        _ = try lab.run(["cat"], on: runner, id: "nothing")
        #expect(try lab.log("nothing") == "")
        _ = try lab.run(["cat"], on: runner, id: "text") { $0.stdin = .text("Grüße\n") }
        #expect(try lab.log("text") == "Grüße\n")
        _ = try lab.run(["cat"], on: runner, id: "file") { $0.stdin = .file(#filePath) }
        #expect(try lab.log("file").hasPrefix("import CLinux\n"))
    }

    @Test func `a value from a file stands in no file`() throws {
        let lab = try Lab()
        let secrets = try Lab()
        try secrets.spool.write(Array("s3cret value\n".utf8), to: "token")
        let record = try lab.run("[ -n \"$TOKEN\" ] && [ \"$TOKEN\" = \"$(cat \(secrets.path)/token)\" ]") { $0.environment = ["TOKEN": .file(secrets.path + "/token")] }
        #expect(record.exitCode == 0)
        let job = try lab.job()
        for entry in try job.entries() where entry.kind == .file {
            let content = String(decoding: try #require(try job.read(entry.name)).bytes, as: UTF8.self)
            #expect(!content.contains("s3cret"), "\(entry.name.display)")
        }
    }

    @Test func `the program is searched in the PATH of its own environment`() throws {
        let lab = try Lab()
        try lab.spool.makeDirectory("bin")
        let bin = try lab.spool.directory("bin")
        try bin.write(Array("#!/bin/sh\necho found\n".utf8), to: "rouse-test-program", mode: 0o700)
        _ = try lab.run(["rouse-test-program"]) { $0.environment = ["PATH": .text("/nowhere:\(lab.path)/bin:/bin")] }
        #expect(try lab.log() == "found\n")
        // A relative path counts from the working directory.
        _ = try lab.run(["./rouse-test-program"], id: "relative") { $0.cwd = lab.path + "/bin" }
        #expect(try lab.log("relative") == "found\n")
    }

    @Test func `limits hold for the program`() throws {
        let lab = try Lab()
        let record = try lab.run(["sh", "-c", "cat /proc/self/limits; echo $0; ls /proc/self/fd", "a b"]) {
            $0.limits.memory = 1 << 30
            $0.limits.cpuSeconds = 77
            $0.limits.openFiles = 64
            $0.limits.processes = 4000
        }
        #expect(record.exitCode == 0)
        let lines = try lab.log().split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        for expected in [
            "Max address space 1073741824 1073741824 bytes", "Max cpu time 77 82 seconds", "Max open files 64 64 files",
            "Max processes 4000 4000 processes", "a b",
        ] {
            #expect(lines.contains(expected))
        }
        #expect(lines.suffix(4) == ["0", "1", "2", "3"])
    }

    @Test func `a program over its time of processor ends by a signal`() throws {
        let record = try Lab().run("while :; do :; done") { $0.limits.cpuSeconds = 1 }
        #expect(record.cause == .exited)
        #expect(record.signal == Int(SIGXCPU))
    }
}

@Suite struct `What can't be started` {
    struct Case: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let message: String
        var change: @Sendable (inout RunRecord, Lab) -> Void = { _, _ in }
        var testDescription: String { message }
    }

    static let cases = [
        Case(arguments: ["no-such-program"], message: "cannot start no-such-program: there is no such program in the PATH of the job's environment; set PATH by the \"env\" of the task, of its queue (config/queues/) or of its agent, or give the program's whole path") { record, _ in
            record.environment = ["PATH": .text("/bin")]
        },
        Case(arguments: ["/no/such"], message: "cannot start /no/such: there is no such file"),
        Case(arguments: ["/etc/passwd"], message: "cannot start /etc/passwd: it is not executable for this user"),
        Case(arguments: ["/etc"], message: "cannot start /etc: it is not a regular file"),
        Case(arguments: ["true"], message: "cannot use the working directory /no/such: No such file or directory") { record, _ in
            record.cwd = "/no/such"
        },
        Case(arguments: ["true"], message: "cannot use the working directory /etc/passwd: Not a directory") { record, _ in
            record.cwd = "/etc/passwd"
        },
        Case(arguments: ["true"], message: "cannot open /no/such for stdin: No such file or directory") { record, _ in
            record.stdin = .file("/no/such")
        },
        Case(arguments: ["true"], message: "cannot use /etc for stdin: it is not a regular file") { record, _ in
            record.stdin = .file("/etc")
        },
        Case(arguments: ["true"], message: "cannot read /no/such for the environment variable KEY: No such file or directory") { record, _ in
            record.environment = ["KEY": .file("/no/such")]
        },
        Case(arguments: ["true", String(repeating: "x", count: 200_000)], message: "cannot start true (/bin/true): arguments and environment are too long; give long text by stdin or a file") { record, _ in
            record.environment = ["PATH": .text("/bin")]
        },
        Case(arguments: ["./script"], message: "cannot start ./script: it is not a program; a script needs a first line such as #!/bin/sh") { record, lab in
            try? lab.spool.write(Array("echo\n".utf8), to: "script", mode: 0o700)
            record.cwd = lab.path
        },
        Case(arguments: ["./script"], message: "cannot start ./script: the interpreter that its first line or header names does not exist") { record, lab in
            try? lab.spool.write(Array("#!/no/such\n".utf8), to: "script", mode: 0o700)
            record.cwd = lab.path
        },
        Case(arguments: ["./script"], message: "cannot start ./script: the interpreter that its first line or header names does not exist") { record, lab in
            try? lab.spool.write(Array("#!/no/such\n".utf8), to: "script", mode: 0o700)
            record.cwd = lab.path
            record.limits.openFiles = 100
        },
    ]

    @Test(arguments: cases)
    func `it says what, where and why, and the runner goes on`(this: Case) throws {
        let lab = try Lab()
        let runner = try lab.startRunner()
        let record = try lab.run(this.arguments, on: runner) { this.change(&$0, lab) }
        #expect(record.cause == .unstartable)
        #expect(record.message == this.message)
        #expect(record.exitCode == nil)
        #expect(record.signal == nil)
        #expect(try lab.log() == "")
        #expect(try lab.run("exit 2", on: runner, id: "next").exitCode == 2)
    }
}
