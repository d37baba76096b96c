import CLinux
import Glibc

/// Either end of the socket between the daemon and a runner. Packets, so that a message is there whole or not at all.
package struct PacketSocket {
    package let descriptor: Int32
    /// The other side is gone, and all that it had said has been received.
    package private(set) var isClosed = false

    private let room = Room()

    /// Where messages arrive: made once, as the memory for each anew would cost more than the message.
    private final class Room {
        /// An exit record with the longest message is far below this.
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
        deinit { bytes.deallocate() }
    }

    package init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Sends without ever raising SIGPIPE. A runner waits for room, as its news must arrive; the daemon never waits.
    /// - Returns: `false`, with `errno` set, where it could not be sent.
    package func send(_ message: RunnerMessage, waiting: Bool) -> Bool {
        let bytes = message.bytes
        while rouse_send(descriptor, bytes, bytes.count, waiting ? 1 : 0) < 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }

    /// Everything that has arrived, without waiting.
    package mutating func receive() -> [RunnerMessage] {
        var messages: [RunnerMessage] = []
        while !isClosed, let bytes = next() {
            if let message = RunnerMessage(bytes) { messages.append(message) }
        }
        return messages
    }

    private mutating func next() -> [UInt8]? {
        var resets = 0
        while true {
            let outcome = rouse_receive(descriptor, room.bytes.baseAddress!, room.bytes.count)
            if outcome > 0 { return Array(room.bytes.prefix(outcome)) }
            if outcome == 0 {
                isClosed = true
                return nil
            }
            switch errno {
            case EINTR: continue
            // The other side left something unread. It is told once; what it had sent before is still to come.
            case ECONNRESET where resets == 0: resets += 1
            case EAGAIN: return nil
            default:
                isClosed = true
                return nil
            }
        }
    }
}
