import CLinux
import Glibc
import SpoolFormat
import TestSupport
import Testing

/// A session's directory, jobs of turns in it, and `rouse-agent` run on them, without a daemon and without a runner.
final class Lab {
    let spool: TestSpool
    /// `nil` for an agent that runs once.
    let session: String?
    let agent: String
    private var keeper: Process?
    /// The job of the process that stays, which a turn is told of.
    private var keeperJob: JobID?
    private var count = 0
    /// Tells of every change in what a test waits for.
    private let watch = inotify_init1(Int32(IN_CLOEXEC))

    /// A process that is awaited, and killed if a test gives up before its end.
    final class Process {
        let pid: Int32
        private let descriptor: Int32
        private var status: Int32?

        init(_ pid: Int32) {
            self.pid = pid
            descriptor = rouse_pidfd_open(pid)
        }

        deinit {
            if status == nil {
                kill(pid, SIGKILL)
                _ = end()
            }
            close(descriptor)
        }

        func send(_ signal: Int32) { if status == nil { kill(pid, signal) } }

        /// Waits for its end, and ends it after two minutes. - Returns: its exit code, or 128 + the signal that ended it.
        @discardableResult func end() -> Int {
            var status: Int32 = 0
            if self.status == nil {
                var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                if poll(&watched, 1, 120_000) == 0 { kill(pid, SIGKILL) }
                while waitpid(pid, &status, 0) < 0, errno == EINTR {}
                self.status = status
            }
            status = self.status!
            return rouse_wifexited(status) != 0 ? Int(rouse_wexitstatus(status)) : 128 + Int(rouse_wtermsig(status))
        }
    }

    /// A turn that runs.
    struct Turn {
        let lab: Lab
        let id: String
        let process: Process

        var job: String { "running/\(id)" }
        var log: String { lab.spool.text("\(job)/log") ?? "" }

        /// Waits for the end, and gives the reply.
        func reply() -> JSON? {
            process.end()
            return lab.spool.json("\(job)/reply.json")
        }

        func interrupt() {
            lab.write("{}", to: "\(job)/interrupt.json")
            process.send(SIGUSR1)
        }

        func answer(_ text: String, to request: Int? = nil) {
            var answer: JSONObject = ["answer": .string(text)]
            answer["request"] = .optional(request)
            lab.write(JSONWriter.text(.object(answer)), to: "\(job)/answer.json")
            process.send(SIGUSR1)
        }
    }

    static let fixtures = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/") + "/Fixtures/agents"

    /// - Parameters:
    ///   - agent: its configuration. `$FIXTURES` stands for the directory of the fake agents.
    ///   - parent: where to make the spool.
    init(_ agent: String, session: String? = "main", in parent: String? = nil) throws {
        spool = TestSpool(in: parent)
        self.agent = agent.replacing("$FIXTURES", with: Self.fixtures)
        self.session = session
        if let session { try Directory(spool.path).directory("sessions").makeDirectory(session) }
        for name in ["home", "work"] { try Directory(spool.path).makeDirectory(name) }
        for name in ["home"] + (session.map { ["sessions/\($0)"] } ?? []) {
            precondition(inotify_add_watch(watch, "\(spool.path)/\(name)", UInt32(IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_DELETE)) >= 0)
        }
    }

    deinit {
        stopKeeper()
        close(watch)
    }

    var home: String { spool.path + "/home" }
    var work: String { spool.path + "/work" }

    // MARK: turns

    /// Starts a turn.
    /// - Parameter prepare: does what is to be done before that in the job's directory.
    func start(
        _ prompt: String, agentSession: String? = nil, content: [ContentBlock]? = nil, lost: LostSession = .anew, summary: String? = nil,
        model: String? = nil, prepare: (String) throws -> Void = { _ in }
    ) throws -> Turn {
        count += 1
        let id = "turn-\(count)"
        var record = TurnRecord(
            id: JobID(id)!, session: session, agentName: "fake", agent: try JSONReader.read(agent), model: model, cwd: work,
            agentSession: agentSession, source: .prompt, content: content ?? [.text(prompt)], display: nil, reasons: [], lostSession: lost, summary: summary)
        record.process = keeperJob
        return Turn(lab: self, id: id, process: try spawn("turn", id, record.json, prepare))
    }

    /// Starts a turn's process again, as after a runner that was lost.
    func again(_ turn: Turn) throws -> Turn { Turn(lab: self, id: turn.id, process: process("turn", turn.id)) }

    /// Runs a turn to its end.
    func run(
        _ prompt: String, agentSession: String? = nil, content: [ContentBlock]? = nil, lost: LostSession = .anew, summary: String? = nil,
        model: String? = nil
    ) throws -> ReplyRecord {
        let turn = try start(prompt, agentSession: agentSession, content: content, lost: lost, summary: summary, model: model)
        return try #require(turn.reply().flatMap(ReplyRecord.init), "no reply; the log: \(turn.log)")
    }

    private func spawn(_ verb: String, _ id: String, _ prompt: JSON, _ prepare: (String) throws -> Void = { _ in }) throws -> Process {
        try Directory("\(spool.path)/running").makeDirectory(id)
        write(JSONWriter.text(prompt), to: "running/\(id)/prompt.json")
        precondition(inotify_add_watch(watch, "\(spool.path)/running/\(id)", UInt32(IN_CREATE | IN_MODIFY | IN_MOVED_TO)) >= 0)
        try prepare("\(spool.path)/running/\(id)")
        return process(verb, id)
    }

    private func process(_ verb: String, _ id: String) -> Process {
        let job = "\(spool.path)/running/\(id)"
        var environment = ["ROUSE_SPOOL": spool.path, "ROUSE_JOB_DIR": job, "ROUSE_JOB_ID": id, "FAKE_HOME": home]
        environment["ROUSE_SESSION"] = session
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        return Process(Programs.spawn([Programs.agent, verb], environment: environment, directory: work, output: "\(job)/log"))
    }

    // MARK: the process that stays

    /// Starts what keeps the session's agent.
    @discardableResult func keep(agentSession: String? = nil, lost: LostSession = .anew) throws -> Process {
        count += 1
        let prompt = TurnRecord(
            id: JobID("keep-\(count)")!, session: session, agentName: "fake", agent: try JSONReader.read(agent), model: nil, cwd: work,
            agentSession: agentSession, source: .synthetic, content: [], display: nil, reasons: [], lostSession: lost, summary: nil)
        let keeper = try spawn("keep", "keep-\(count)", prompt.json)
        keeperJob = prompt.id
        self.keeper = keeper
        return keeper
    }

    /// Ends it as a runner would. - Returns: its exit code.
    @discardableResult func stopKeeper() -> Int? {
        keeper?.send(SIGTERM)
        defer { keeper = nil }
        return keeper?.end()
    }

    // MARK: looking

    /// The session's events, or those of a turn without a session.
    func events(_ name: String? = nil) -> [JSON] {
        let path = session.map { "sessions/\($0)/events.jsonl" } ?? "running/turn-\(count)/events.jsonl"
        return (spool.text(path) ?? "").split(separator: "\n").compactMap { try? JSONReader.read(Array($0.utf8)) }
            .filter { name == nil || $0["event"]?.string == name }
    }

    func sessionFile(_ name: String) -> JSON? { spool.json("sessions/\(session!)/\(name)") }

    /// Puts a file into the spool in one step.
    func write(_ text: String, to name: String) {
        spool.write(text, to: "\(spool.path)/.staging/.lab")
        precondition(rename("\(spool.path)/.staging/.lab", "\(spool.path)/\(name)") == 0)
    }

    /// Waits until something is so in the session's directory, in a job's, or in the fake agent's home; `false` after two minutes.
    func wait(_ condition: () -> Bool) -> Bool {
        let end = Monotonic.now + 120_000
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !condition() {
            guard Monotonic.now < end else { return condition() }
            var descriptor = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
            // The clock for what leaves no event: processes that end.
            if poll(&descriptor, 1, 200) > 0 { _ = read(watch, &buffer, buffer.count) }
        }
        return true
    }

    /// The letter that the kernel has for it: `S` sleeps, `T` is stopped, `Z` has ended and is not yet reaped.
    static func state(of pid: Int32) -> Character? {
        guard let bytes = (try? Directory("/proc/\(pid)").read("stat"))??.bytes else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.first { $0 != " " }
    }

    static func isAlive(_ pid: Int32) -> Bool { ProcessIdentity(pid: pid) != nil }
}
