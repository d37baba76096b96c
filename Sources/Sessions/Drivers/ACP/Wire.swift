import CLinux
import Glibc
import SpoolFormat

/// The line to an agent: one message of JSON-RPC a line, either way. It never waits for the agent to read.
final class Wire {
    private let agent: AgentProcess
    private var lines = LineSplitter(longest: longest)
    private var messages: [RPCMessage] = []
    private var outgoing: [UInt8] = []
    /// Lines that were no message.
    private(set) var noise = 0
    /// The agent is gone, or hears no more, and all that it had said has been taken.
    private(set) var isBroken = false

    /// Bytes. An answer, or a file that the agent writes, is one line.
    static let longest = 64 << 20
    /// Bytes. An agent that reads nothing, and asks and asks, is not answered without end.
    private static let mostOutgoing = 64 << 20

    init(_ agent: AgentProcess) { self.agent = agent }

    /// What is to be watched for reading, and for writing.
    var reading: [Int32] { (agent.output.isAtEnd ? [] : [agent.output.descriptor]) + [agent.ending] }
    var writing: [Int32] { outgoing.isEmpty || agent.input < 0 ? [] : [agent.input] }

    /// Lines that were longer than `longest`.
    var dropped: Int { lines.dropped }

    /// The agent has written a part of a line.
    var isInLine: Bool { lines.isInLine }

    func post(_ value: JSON) {
        outgoing += JSONWriter.write(value, .line)
        flush()
    }

    /// Ends a line that somebody else may have left unfinished.
    func endLine() { outgoing.append(0x0A) }

    /// The next message, if there is one by now. At most one piece of what has come is taken in at once.
    func next() -> RPCMessage? {
        flush()
        if messages.isEmpty { hear() }
        return messages.isEmpty ? nil : messages.removeFirst()
    }

    private func hear() {
        if let bytes = agent.output.read() { return take(bytes) }
        // What it wrote before it ended is in the pipe when it has ended: that is looked at once more.
        guard agent.output.isAtEnd || agent.hasEnded else { return }
        if let bytes = agent.output.read() { take(bytes) } else { isBroken = true }
    }

    private func take(_ bytes: [UInt8]) {
        _ = writeAll(bytes, to: 1)
        for line in lines.take(bytes) where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) {
            if let message = AgentJSON.object(onLine: line).flatMap(RPCMessage.init) { messages.append(message) } else {
                noise += 1
                refuse(line.prefix(LineSplitter.head), "it could not be read")
            }
        }
        for head in lines.takeHeads() { refuse(head, "it is longer than \(Self.longest >> 20) MiB") }
    }

    /// Answers a request that can't be read, so that nobody waits for ever: not the agent, and not we for a response.
    private func refuse(_ start: some Sequence<UInt8>, _ why: String) {
        let head = MessageHead(start)
        guard let id = head.id else { return }
        if let method = head.method {
            post(RPCMessage.response(to: id, .failure(RPCError(RPCError.badRequest, "\(method) is refused: \(why)"))))
        } else if head.isResponse, let id = id.int {
            messages.append(.response(id: id, .failure(RPCError(RPCError.badRequest, "the agent answered, but \(why)"))))
        }
    }

    private func flush() {
        guard agent.input >= 0 else { return }
        var sent = 0
        outgoing.withUnsafeBytes { buffer in
            while sent < buffer.count {
                let count = write(agent.input, buffer.baseAddress! + sent, buffer.count - sent)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno != EAGAIN { agent.closeInput() }
                if count <= 0 { return }
                sent += count
            }
        }
        outgoing.removeFirst(sent)
        if outgoing.count > Self.mostOutgoing { agent.closeInput() }
    }
}
