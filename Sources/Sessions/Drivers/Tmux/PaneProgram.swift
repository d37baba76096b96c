import CLinux
import Glibc
import SpoolFormat

/// `rouse-agent pane KEEPER`: what runs in the terminal. It starts the agent, and says truly how it ended.
///
/// tmux is not given the agent's command line: it would take a `;` at an argument's end for a separator of its own, and
/// `#` in a path for a format.
struct PaneProgram {
    private let session: Directory
    private let turn: TurnRecord
    private let agent: AgentConfiguration
    private var record: PaneRecord
    private let signals: Int32
    private let server: TmuxServer
    private var isToldToEnd = false

    /// - Returns: the agent's exit code; 64 for wrong usage.
    static func run(_ arguments: [String], job path: String, spool: String, session name: String) -> Int32 {
        guard let keeper = arguments.first.flatMap({ Int32($0) }).flatMap({ ProcessIdentity(pid: $0) }) else { return 64 }
        do {
            var program = try PaneProgram(job: path, spool: spool, session: name, keeper: keeper)
            return try program.run()
        } catch {
            complain("\(error)")
            return 70
        }
    }

    private init(job path: String, spool: String, session name: String, keeper: ProcessIdentity) throws {
        session = try Directory(spool).directory(SpoolLayout.sessions).directory(name)
        turn = try TurnRecord.read(try Directory(path).readJSON(SpoolLayout.Job.prompt) ?? .null)
        agent = try AgentConfiguration.read(turn.agent)
        record = PaneRecord(
            job: turn.id, keeper: keeper, process: ProcessIdentity(pid: getpid())!, output: path + "/" + SpoolLayout.Job.log)
        // A key pressed in the terminal is for the agent.
        for signal in [SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU] { rouse_ignore_signal(signal) }
        signals = rouse_pane_signal_descriptor()
        server = TmuxServer(in: session, session: name)
    }

    private mutating func run() throws -> Int32 {
        let isResumed = turn.agentSession != nil && agent.resume != nil
        try run(resuming: isResumed)
        if isResumed, hasLostConversation {
            if turn.lostSession == .anew {
                (record.exitCode, record.signal) = (nil, nil)
                try run(resuming: false)
            } else {
                record.code = "agent_session_lost"
                record.message =
                    "the agent does not know its session \(turn.agentSession ?? "") any more; restart the session with \"fresh\", or set \"on_lost_session\": \"anew\""
            }
        }
        record.endedAt = .now
        try record.write(to: session)
        return record.exitStatus
    }

    /// Runs the agent to its end.
    private mutating func run(resuming: Bool) throws {
        let pid: pid_t?
        do {
            pid = try start(resuming: resuming)
        } catch let fault as SystemFault {
            record.message = Self.explain(fault)
            record.exitCode = fault.isMissing ? 127 : 126
            pid = nil
        } catch let fault as TurnFault {
            record.message = fault.error.message
            record.exitCode = 126
            pid = nil
        }
        try record.write(to: session)
        if let pid { wait(for: pid) } else { Self.complain(record.message ?? "") }
    }

    /// Milliseconds that the terminal has to show what the agent said last.
    private static let patience: Int64 = 2000

    /// The agent has ended as one that was to take up a conversation, and does not know it: it says so, and has not been
    /// ready before.
    private var hasLostConversation: Bool {
        guard !isToldToEnd, record.message == nil, let code = record.exitCode, code != 0, let words = agent.output.lostSessionPattern,
            let pattern = try? Regex(words)
        else { return false }
        let ready = try? server.run(["display-message", "-p", "-t", server.target, "#{@rouse_ready}"])
        guard ready?.hasPrefix("1") == false else { return false }
        let deadline = Monotonic.now + Self.patience
        while true {
            if let text = try? server.run(["capture-pane", "-p", "-J", "-S", "-", "-t", server.target]), text.contains(pattern) { return true }
            guard Monotonic.now < deadline else { return false }
            _ = poll(nil, 0, 50)
        }
    }

    private mutating func start(resuming: Bool) throws -> pid_t {
        guard chdir(turn.cwd) == 0 else { throw SystemFault("work in", turn.cwd) }
        setenv("PWD", turn.cwd, 1)
        for name in KeeperVariables.all { unsetenv(name) }
        var arguments = AgentArguments(name: turn.session, model: turn.model ?? agent.model, cwd: turn.cwd)
        arguments["session"] = turn.agentSession
        let resume = resuming ? agent.resume : nil
        let conversation = resume == nil ? AgentArguments.uuid() : turn.agentSession
        arguments["new_session"] = conversation
        record.agentSession = conversation
        var spawn = Spawn(arguments: try arguments.fill(resume ?? agent.command))
        spawn.isDetached = false
        return try spawn.start()
    }

    private static func explain(_ fault: SystemFault) -> String {
        guard fault.operation == "start", fault.isMissing, !fault.path.contains("/") else { return fault.description }
        return "cannot start \(fault.path): \(ChildProcess.missing)"
    }

    private mutating func wait(for pid: pid_t) {
        var deadline: Int64?
        while true {
            var status: Int32 = 0
            let ended = waitpid(pid, &status, WNOHANG | WUNTRACED)
            if ended == pid, rouse_wifexited(status) != 0 || rouse_wifsignaled(status) != 0 {
                if rouse_wifexited(status) != 0 { record.exitCode = Int(rouse_wexitstatus(status)) } else { record.signal = Int(rouse_wtermsig(status)) }
                return
            }
            // No shell is here that could take up again what has stopped itself.
            if ended == pid { kill(pid, SIGCONT) }
            if let deadline, Monotonic.now >= deadline { kill(pid, SIGKILL) }
            var entry = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, deadline.map { Int32(clamping: max(1, $0 - Monotonic.now)) } ?? -1)
            guard hearsThatItIsToEnd() else { continue }
            isToldToEnd = true
            // An interactive shell takes no notice of SIGTERM.
            for signal in [SIGTERM, SIGHUP, SIGCONT] { kill(pid, signal) }
            // Before the runner's own patience is at an end, so that there is an exit status to tell.
            deadline = deadline ?? Monotonic.now + (agent.grace ?? Defaults.grace).milliseconds / 2
        }
    }

    private func hearsThatItIsToEnd() -> Bool {
        var isTold = false
        while true {
            switch rouse_next_signal(signals) {
            case 0: return isTold
            case SIGCHLD: break
            default: isTold = true
            }
        }
    }

    private static func complain(_ text: String) { _ = writeAll(Array("rouse-agent: \(text)\n".utf8), to: 2) }
}
