import CLinux
import Glibc
import SpoolFormat

/// A real `rouse serve` on a test's spool. It is killed when the last reference goes; what it started goes with the spool.
public final class TestDaemon: @unchecked Sendable {
    public let pid: Int32
    private let spool: TestSpool
    private var status: Int32?

    /// Starts the daemon and waits until it says that it is ready, as systemd would.
    /// - Parameters:
    ///   - wrapper: a command that is put before the daemon's, such as `strace` with faults to inject.
    ///   - output: where its words go; the default is a file in the spool.
    ///   - waitsUntilReady: `false` for a daemon that is meant not to come up.
    public init(
        _ spool: TestSpool, arguments: [String] = [], environment: [String: String] = [:], wrapper: [String] = [], output: String? = nil, waitsUntilReady: Bool = true
    ) {
        self.spool = spool
        let address = "\(spool.path)/.notify-\(UInt32.random(in: 0...UInt32.max))"
        let notifications = Self.listen(at: address)
        defer {
            close(notifications)
            unlink(address)
        }
        var variables = environment
        variables["NOTIFY_SOCKET"] = address
        pid = Programs.spawn(
            wrapper + [Programs.rouse, "serve", "--spool", spool.path] + arguments, environment: variables,
            output: output ?? "\(spool.path)/.daemon-output")
        guard waitsUntilReady else { return }
        while status == nil {
            var descriptor = pollfd(fd: notifications, events: Int16(POLLIN), revents: 0)
            var buffer = [UInt8](repeating: 0, count: 256)
            if poll(&descriptor, 1, 100) > 0 {
                let count = recv(notifications, &buffer, 256, 0)
                if String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self).hasPrefix("READY=1") { return }
            }
            reap(WNOHANG)
        }
    }

    deinit { kill9() }

    /// What it has written to standard error and output.
    public var output: String { spool.text(".daemon-output") ?? "" }

    public var isRunning: Bool {
        reap(WNOHANG)
        return status == nil
    }

    public func send(_ signal: Int32) { if isRunning { kill(pid, signal) } }

    /// Kills it as a crash would, and waits until it is gone. Jobs go on.
    public func kill9() {
        send(SIGKILL)
        reap(0)
    }

    /// Asks it to end, and waits. - Returns: its exit code, or 128 + the signal that ended it.
    @discardableResult public func stop(_ signal: Int32? = nil) -> Int {
        send(signal ?? SIGTERM)
        return exitCode()
    }

    /// Waits until it ends by itself.
    public func exitCode() -> Int {
        reap(0)
        guard let status else { return -1 }
        return rouse_wifexited(status) != 0 ? Int(rouse_wexitstatus(status)) : 128 + Int(rouse_wtermsig(status))
    }

    private func reap(_ options: Int32) {
        guard status == nil else { return }
        var status: Int32 = 0
        while true {
            let result = waitpid(pid, &status, options)
            if result == pid { self.status = status }
            if result < 0, errno == EINTR { continue }
            return
        }
    }

    private static func listen(at address: String) -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        precondition(address.utf8.count < 108, "the path of the socket is too long: \(address)")
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address.utf8) }
        let bound = withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        precondition(bound == 0, "cannot listen at \(address): \(String(cString: strerror(errno)))")
        return socket
    }
}
