import Glibc
import SpoolFormat

/// One process of an agent, from its start to its end.
final class CommandRun {
    /// What came of it.
    struct End {
        var output: AgentOutput
        var stderr: LastWords
        var ending: ChildProcess.Ending
        /// It was told to end before it had said that its turn was over.
        var isCancelled: Bool
        /// It had ended by itself when it was to be told: what came of it counts, unless nothing did.
        var isInterruptedLate: Bool
        /// How it ended says nothing of its turn.
        var isEndedByUs: Bool
    }

    /// Milliseconds that an agent has to go after it has said that its turn is over.
    private static let patience: Int64 = 2000
    /// Bytes that are still read after the agent has ended. What it wrote is in the pipe by then; what comes after that
    /// many is from somebody whom it has left behind.
    private static let remainder = 4 << 20

    private let turn: Turn
    private let arguments: [String]
    private let input: Int32?
    private let children = Children()
    private var output: AgentOutput
    private var complaints: LastWords
    private var ladder: Ladder?
    private var isCancelled = false
    private var isEndedByUs = false

    /// Prepares everything; nothing is started yet.
    init(_ turn: Turn, _ command: [String], session: String? = nil, newSession: String? = nil, prompt: String) throws(TurnFault) {
        self.turn = turn
        let agent = turn.agent
        output = AgentOutput(agent.output, events: turn.events)
        complaints = LastWords(agent.output)
        var words = AgentArguments(name: turn.record.session ?? turn.record.agentName, model: turn.record.model, cwd: turn.record.cwd)
        words["session"] = session
        words["new_session"] = newSession
        words["prompt"] = prompt
        words["prompt_file"] = turn.job.path + "/" + SpoolLayout.Job.promptText
        arguments = try words.fill(command)
        input = try PromptInput.prepare(prompt, agent, in: turn.job)
    }

    deinit { if let input { close(input) } }

    /// Starts the agent, and hears it to its end.
    /// - Throws: where it could not be started.
    func toItsEnd() throws(TurnFault) -> End {
        let (stdout, outputEnd) = try Source.pipe()
        defer { close(outputEnd) }
        let (stderr, errorEnd) = try Source.pipe()
        defer { close(errorEnd) }
        let child = try children.start(
            arguments, in: turn.record.cwd, ChildProcess.Streams(input: input, output: outputEnd, error: errorEnd))
        while child.ending == nil {
            turn.wait(reading: [stdout, stderr].filter { !$0.isAtEnd }.map(\.descriptor), until: ladder?.next)
            hear(stdout, stderr)
            children.reap()
            // Who ends this process may have told the agent before.
            if child.ending != nil, !turn.isTerminated { break }
            decide()
            ladder?.climb { signal in
                isEndedByUs = true
                children.send(signal)
            }
        }
        drain(stdout, stderr)
        output.finish()
        complaints.finish()
        return End(
            output: output, stderr: complaints, ending: child.ending!, isCancelled: isCancelled,
            isInterruptedLate: !isCancelled && !output.isOver && turn.isInterrupted, isEndedByUs: isEndedByUs)
    }

    /// One piece of each, so that neither holds up the other.
    @discardableResult
    private func hear(_ stdout: Source, _ stderr: Source) -> Int {
        var count = 0
        if let bytes = stdout.read() {
            _ = writeAll(bytes, to: 1)
            output.take(bytes)
            count += bytes.count
        }
        if let bytes = stderr.read() {
            _ = writeAll(bytes, to: 2)
            complaints.take(bytes)
            count += bytes.count
        }
        return count
    }

    /// A process that it has left behind may hold the pipes open: their end is not waited for.
    private func drain(_ stdout: Source, _ stderr: Source) {
        var left = Self.remainder
        while left > 0 {
            let count = hear(stdout, stderr)
            if count == 0 { return }
            left -= count
        }
    }

    /// Whether it has to be told to end, and how.
    private func decide() {
        if !isCancelled, !output.isOver, turn.isInterrupted || turn.isTerminated {
            isCancelled = true
            // Who ends this process has told the agent too.
            ladder = turn.isInterrupted ? .interrupt(within: turn.agent.cancelTimeout) : Ladder([(turn.grace / 2, SIGTERM), (turn.grace, SIGKILL)])
        } else if output.isOver, ladder == nil {
            ladder = Ladder([(Self.patience, SIGTERM), (Self.patience + turn.grace, SIGKILL)])
        }
    }
}
