import Glibc

/// Tells systemd how the service is, where it runs under it (sd_notify(3): a datagram to `$NOTIFY_SOCKET`).
struct Systemd: Sendable {
    private let address: String?

    init() { address = getenv("NOTIFY_SOCKET").map { String(cString: $0) } }

    func notify(_ message: String) {
        guard let address, address.utf8.count < 108 else { return }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(address.utf8)
        // An address that begins with @ is in the abstract name space, which a NUL begins.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        _ = withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(socket, message, message.utf8.count, Int32(MSG_NOSIGNAL), $0, length) }
        }
    }
}
