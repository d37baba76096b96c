import CLinux
import Glibc
import SpoolFormat

/// Keeps the process of an agent that speaks the Agent Client Protocol alive between turns. It understands nothing of
/// the protocol: it holds the two ends of the agent's pipes, and hands them to one turn at a time. So it has little to
/// fail at, and a turn can be as wrong as it likes without the conversation being lost.
final class AgentKeeper {
    private let turn: Turn
    private let session: Directory
    private let listener: Int32
    private let children = Children()
    private let child: ChildProcess
    /// `nil` for one that has ended by the time that it is looked at.
    private let agent: ProcessIdentity?
    /// The agent's standard input, to be written; -1 when it was closed.
    private var input: Int32
    private let output: Int32
    private var client: Int32?
    /// Ends the agent, once this process is told to end.
    private var ladder: Ladder?

    /// Milliseconds that an agent has to go after its standard input was closed. Most need less than one second.
    private static let patience: Int64 = 2000

    init(_ turn: Turn) throws(TurnFault) {
        guard let session = turn.session, let name = turn.record.session else {
            throw TurnFault("no_session", "an agent that stays belongs to a session, and \(turn.record.id) has none")
        }
        self.turn = turn
        self.session = session
        let record = turn.record
        let arguments = try AgentArguments(name: name, model: record.model, cwd: record.cwd).fill(turn.agent.command)
        listener = try AgentSocket.listen(in: session)
        do throws(TurnFault) {
            (child, agent, input, output) = try Self.start(arguments, in: record.cwd, children)
        } catch {
            // Nobody is to wait there for an agent that does not come.
            try? session.removeFile(SpoolLayout.Session.agentSocket)
            throw error
        }
    }

    private static func start(
        _ arguments: [String], in cwd: String, _ children: Children
    ) throws(TurnFault) -> (ChildProcess, ProcessIdentity?, input: Int32, output: Int32) {
        var stdin: [Int32] = [-1, -1]
        var stdout: [Int32] = [-1, -1]
        guard rouse_pipe(&stdin) == 0, rouse_pipe(&stdout) == 0 else { throw TurnFault(SystemFault("make", "a pipe")) }
        defer {
            close(stdin[0])
            close(stdout[1])
        }
        let streams = ChildProcess.Streams(input: stdin[0], output: stdout[1], error: 2)
        let child = try children.start(arguments, in: cwd, streams, without: KeeperVariables.all)
        return (child, ProcessIdentity(pid: child.pid), stdin[1], stdout[0])
    }

    /// - Returns: the exit code: the agent's, or 128 and the number of the signal that ended it.
    func run() -> Int32 {
        while child.ending == nil {
            // A connection that waits is of no interest as long as somebody has the agent.
            turn.wait(reading: [client ?? listener], until: ladder?.next)
            children.reap()
            if turn.isTerminated { end() }
            if let client, isGone(client) { letGo() }
            if client == nil { accept() }
            ladder?.climb { children.send($0) }
        }
        let (code, words): (Int32, String) =
            switch child.ending! {
            case .exited(let code): (Int32(code), "the agent ended with exit code \(code)")
            case .signal(let number): (Int32(128 + number), "the agent was ended by signal \(number)")
            }
        // Before a turn can see that the agent is gone: it asks why.
        KeeperJob.note(KeeperJob.died(words, in: turn.job), in: turn.job)
        try? session.removeFile(SpoolLayout.Session.agentSocket)
        letGo()
        finish()
        return code
    }

    private func accept() {
        let socket = rouse_accept(listener)
        guard socket >= 0 else { return }
        client = socket
        guard let agent else { return letGo() }
        if input < 0 || !AgentSocket.give(agent, input: input, output: output, to: socket) { letGo() }
    }

    /// A client has nothing to say; that it can be read means that it is gone.
    private func isGone(_ client: Int32) -> Bool {
        var byte: UInt8 = 0
        let count = rouse_receive(client, &byte, 1)
        return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
    }

    private func letGo() {
        if let client { close(client) }
        client = nil
    }

    /// Closing its standard input is how an agent is told to end. A turn that has the agent holds the same pipe, and
    /// then it is told by the signals.
    private func end() {
        guard ladder == nil else { return }
        close(input)
        input = -1
        ladder = Ladder([(Self.patience, SIGTERM), (Self.patience + grace / 2, SIGKILL)])
    }

    private var grace: Int64 { (turn.agent.grace ?? Defaults.grace).milliseconds }

    /// Ends what the agent has left behind.
    private func finish() {
        var rest = Ladder([(0, SIGTERM), (Self.patience, SIGKILL)])
        while !children.areGone {
            rest.climb { children.send($0) }
            turn.wait(reading: [], until: rest.next ?? Monotonic.now + 100)
        }
    }
}
