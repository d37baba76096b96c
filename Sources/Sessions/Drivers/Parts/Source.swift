import CLinux
import Glibc
import SpoolFormat

/// The end of a pipe from which an agent is heard. It never waits.
final class Source {
    let descriptor: Int32
    /// Nothing more will come.
    private(set) var isAtEnd = false

    private static let room = 64 << 10

    /// Owns the descriptor from now on.
    init(owning descriptor: Int32) {
        self.descriptor = descriptor
        _ = rouse_set_cloexec_nonblock(descriptor)
    }

    deinit { close(descriptor) }

    /// Some of what has come; `nil` where nothing has, or nothing will.
    func read() -> [UInt8]? {
        guard !isAtEnd else { return nil }
        var count = 0
        repeat {
            let bytes = [UInt8](unsafeUninitializedCapacity: Self.room) { buffer, filled in
                count = Glibc.read(descriptor, buffer.baseAddress!, Self.room)
                filled = max(count, 0)
            }
            if count > 0 { return bytes }
        } while count < 0 && errno == EINTR
        if count == 0 || errno != EAGAIN { isAtEnd = true }
        return nil
    }

    /// A pipe: what is read here, and the end to give away, which the caller closes.
    static func pipe() throws(TurnFault) -> (source: Source, theirs: Int32) {
        var ends: [Int32] = [-1, -1]
        guard rouse_pipe(&ends) == 0 else { throw TurnFault(SystemFault("make", "a pipe")) }
        return (Source(owning: ends[0]), ends[1])
    }
}
