import CLinux
import Glibc
import SpoolFormat

/// The agent's process as a turn has it: its own child, or one that is kept and was handed over.
final class AgentProcess {
    let identity: ProcessIdentity
    let output: Source
    /// Readable once the process has ended. Its end can't be seen by its output alone: what it has started may hold that.
    let ending: Int32
    let isKept: Bool
    private(set) var input: Int32
    /// The connection to the keeper: the agent is this turn's as long as it is open.
    private let hold: Int32?

    /// Owns the descriptors from now on.
    init(_ identity: ProcessIdentity, input: Int32, output: Int32, hold: Int32? = nil) throws(TurnFault) {
        self.identity = identity
        self.input = input
        self.output = Source(owning: output)
        self.hold = hold
        isKept = hold != nil
        _ = rouse_set_cloexec_nonblock(input)
        ending = identity.openDescriptor() ?? -1
        guard ending >= 0 else { throw TurnFault("agent_died", "the agent's process has ended", retryable: true) }
    }

    deinit {
        closeInput()
        if ending >= 0 { close(ending) }
        if let hold { close(hold) }
    }

    var hasEnded: Bool {
        var watched = pollfd(fd: ending, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 0) > 0
    }

    func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Ends this very process and no other. Its keeper, or whoever runs this turn, ends what it leaves behind.
    func kill() { _ = rouse_pidfd_send_signal(ending, SIGKILL) }

    // MARK: where it comes from

    /// Starts an agent for this turn alone.
    static func start(_ turn: Turn, _ children: Children) throws(TurnFault) -> (AgentProcess, ChildProcess) {
        let record = turn.record
        let arguments = try AgentArguments(name: record.session ?? record.agentName, model: record.model, cwd: record.cwd).fill(turn.agent.command)
        var stdin: [Int32] = [-1, -1]
        var stdout: [Int32] = [-1, -1]
        guard rouse_pipe(&stdin) == 0, rouse_pipe(&stdout) == 0 else { throw TurnFault(SystemFault("make", "a pipe")) }
        defer {
            close(stdin[0])
            close(stdout[1])
        }
        let child = try children.start(arguments, in: record.cwd, ChildProcess.Streams(input: stdin[0], output: stdout[1], error: 2))
        guard let identity = ProcessIdentity(pid: child.pid) else {
            throw TurnFault("agent_died", "the agent ended as soon as it was started", retryable: true)
        }
        return (try AgentProcess(identity, input: stdin[1], output: stdout[0]), child)
    }

    /// Gets the agent from the process that keeps it, and waits for that as long as the agent may take to be ready.
    /// - Returns: `nil` where the turn is told to end meanwhile.
    static func fetch(_ turn: Turn, in session: Directory) throws(TurnFault) -> AgentProcess? {
        let deadline = Monotonic.now + turn.agent.ready.timeout.milliseconds
        var pause: Int64 = 10
        while !turn.isInterrupted, !turn.isTerminated {
            if let keeper = try AgentSocket.connect(in: session), let agent = try take(from: keeper, turn, until: deadline) { return agent }
            // Nobody is to wait for an agent that does not come.
            if let ending = turn.keeper?.ending { throw TurnFault(ending) }
            guard Monotonic.now < deadline else {
                throw TurnFault(
                    "agent_not_ready", "the process of session \(turn.record.session ?? "") gave no agent within \(turn.agent.ready.timeout)",
                    hint: "see the log of its job in the queue process:\(turn.record.session ?? "")", retryable: true)
            }
            turn.wait(reading: [], until: min(Monotonic.now + pause, deadline))
            pause = min(pause * 2, 500)
        }
        return nil
    }

    private static func take(from keeper: Int32, _ turn: Turn, until deadline: Int64) throws(TurnFault) -> AgentProcess? {
        while !turn.isInterrupted, !turn.isTerminated, Monotonic.now < deadline {
            switch AgentSocket.take(from: keeper) {
            case .agent(let identity, let input, let output):
                // One that has just ended is another one soon.
                if let agent = try? AgentProcess(identity, input: input, output: output, hold: keeper) { return agent }
                return nil
            case .notYet: turn.wait(reading: [keeper], until: deadline)
            case .closed:
                close(keeper)
                return nil
            }
        }
        close(keeper)
        return nil
    }
}
