import CLinux
import Glibc

/// The socket on which a service tells its manager how it is, as sd_notify(3) has it.
final class ReadySocket {
    let path: String
    private let descriptor: Int32

    init(at path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchmarkFault.system("make a socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < 108 else { throw BenchmarkFault("\(path) is too long for a socket") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        unlink(path)
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard bound == 0 else { throw BenchmarkFault.system("make the socket \(path)") }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// Waits for `READY=1`; `false` after `seconds`, or when `isOver` says that it can't come any more.
    func waitUntilReady(seconds: Int, unless isOver: () -> Bool) -> Bool {
        let end = Clock.now + Int64(seconds) * 1_000_000_000
        while Clock.now < end, !isOver() {
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&watched, 1, 200) > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let size = recv(descriptor, &buffer, buffer.count, 0)
            if size > 0, String(decoding: buffer.prefix(size), as: UTF8.self).split(separator: "\n").contains("READY=1") { return true }
        }
        return false
    }
}
