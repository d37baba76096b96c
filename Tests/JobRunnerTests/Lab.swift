import CLinux
import Glibc
import JobRunner
import SpoolFormat
import Testing

/// A spool of its own in a temporary directory, which goes with it.
final class Lab {
    let path: String
    let spool: Directory
    private var runners: [RunnerProcess] = []

    init() throws {
        var template = Array("/tmp/rouse-runner-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        spool = try Directory(path)
        try spool.makeDirectory("running")
        try spool.makeDirectory("inbox")
    }

    /// Waits until every runner has ended: a test leaves no process and no file.
    deinit {
        for runner in runners {
            runner.close()
            AdoptedRunner(runner.identity)?.cancel()
            while waitpid(runner.identity.pid, nil, 0) < 0, errno == EINTR {}
        }
        try? Directory("/tmp").removeTree(String(path.dropFirst(5)))
    }

    func startRunner() throws -> RunnerProcess {
        let runner = try RunnerProcess.spawn(executable: Self.runner, spool: path)
        runners.append(runner)
        return runner
    }

    /// Writes `running/<id>/run.json` for `runner`.
    @discardableResult
    func write(_ arguments: [String], id: String = "job", runner: ProcessIdentity, attempt: Int = 1, _ change: (inout RunRecord) -> Void = { _ in }) throws -> JobID {
        let id = try #require(JobID(id))
        let task = TaskRecord(
            id: id, sequence: 1, verb: .run(arguments), queue: "default", uid: getuid(), acceptedAt: .now, depth: 0,
            options: TaskOptions())
        var record = RunRecord(task: task, attempt: attempt, lost: 0, queueEnvironment: [:], spool: path, runner: runner, at: .now)
        record.timeout = .minutes(5)
        change(&record)
        let job = try spool.directory("running").directory(makingIfMissing: id.text)
        try job.write(JSONWriter.write(record.json), to: "run.json")
        return id
    }

    /// Runs a shell script to its end in `runner`, or in one of its own.
    func run(_ script: String, on runner: RunnerProcess? = nil, id: String = "job", _ change: (inout RunRecord) -> Void = { _ in }) throws -> ExitRecord {
        try run(["sh", "-c", script], on: runner, id: id, change)
    }

    func run(_ arguments: [String], on given: RunnerProcess? = nil, id: String = "job", _ change: (inout RunRecord) -> Void = { _ in }) throws -> ExitRecord {
        let runner = try given ?? startRunner()
        try begin(arguments, on: runner, id: id, change)
        let record = try exit(of: runner)
        let onDisk = try #require(try job(id).read("exit.json")).bytes
        #expect(try ExitRecord(JSONReader.read(onDisk)) == record)
        return record
    }

    func begin(_ script: String, on runner: RunnerProcess, id: String = "job", _ change: (inout RunRecord) -> Void = { _ in }) throws {
        try begin(["sh", "-c", script], on: runner, id: id, change)
    }

    func begin(_ arguments: [String], on runner: RunnerProcess, id: String = "job", _ change: (inout RunRecord) -> Void = { _ in }) throws {
        try runner.run(write(arguments, id: id, runner: runner.identity, change), attempt: 1)
    }

    func exit(of runner: RunnerProcess) throws -> ExitRecord {
        guard case .exit(_, _, let record) = try message(of: runner) else { throw Problem("the runner refused") }
        return record
    }

    func message(of runner: RunnerProcess) throws -> RunnerMessage {
        try #require(isReadable(runner.descriptor), "the runner says nothing")
        let messages = runner.receive()
        try #require(messages.count == 1, "\(messages), closed: \(runner.isClosed)")
        return messages[0]
    }

    func job(_ id: String = "job") throws -> Directory { try spool.directory("running").directory(id) }

    func log(_ id: String = "job") throws -> String {
        String(decoding: try #require(try job(id).read("log", limit: 1 << 30)).bytes, as: UTF8.self)
    }

    /// The built runner: beside the test program.
    static let runner: String = {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, 4095)
        let own = String(decoding: path.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let candidates = [own, CommandLine.arguments[0]].map { $0.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") }
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let all = candidates + [root + "/.build/debug"]
        return all.map { $0 + "/rouse-runner" }.first { access($0, X_OK) == 0 } ?? "rouse-runner is not built"
    }()
}

struct Problem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Whether the descriptor becomes readable within `seconds`.
func isReadable(_ descriptor: Int32, within seconds: Int32 = 60) -> Bool {
    var watched = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    return poll(&watched, 1, seconds * 1000) == 1
}

/// Whether `condition` comes true; for what can be looked at but not waited for.
func eventually(within seconds: Int = 60, _ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<(seconds * 200) {
        if try condition() { return true }
        _ = poll(nil, 0, 5)
    }
    return false
}

/// A FIFO on which the programs of a test say how far they are.
final class Line {
    let path: String
    private let descriptor: Int32

    init(in lab: Lab, _ name: String = "line") throws {
        path = lab.path + "/" + name
        try #require(mkfifo(path, 0o600) == 0)
        descriptor = rouse_open(path, O_RDWR | O_CLOEXEC, 0)
        try #require(descriptor >= 0)
    }

    deinit { close(descriptor) }

    /// The next line that a program writes.
    func next() throws -> String {
        var text: [UInt8] = []
        while true {
            try #require(isReadable(descriptor), "no program says anything")
            var byte: UInt8 = 0
            try #require(read(descriptor, &byte, 1) == 1)
            if byte == 0x0A { return String(decoding: text, as: UTF8.self) }
            text.append(byte)
        }
    }

    /// The next lines, each the number of a process, as processes that can be watched.
    func processes(_ count: Int) throws -> [Watched] {
        try (0..<count).map { _ in
            let line = try next()
            return try Watched(try #require(Int32(line), "\(line)"))
        }
    }

    func write(_ text: String) throws { try #require(writeAll(Array((text + "\n").utf8), to: descriptor)) }
}

/// A process that is seen to end, whoever's child it is.
final class Watched {
    let pid: Int32
    private let descriptor: Int32

    init(_ pid: Int32) throws {
        self.pid = pid
        descriptor = rouse_pidfd_open(pid)
        try #require(descriptor >= 0, "process \(pid) is gone")
    }

    deinit { close(descriptor) }

    func hasEnded(within seconds: Int32 = 60) -> Bool { isReadable(descriptor, within: seconds) }
    func send(_ signal: Int32) { _ = rouse_pidfd_send_signal(descriptor, signal) }
}
