import CLinux
import Glibc
import SpoolFormat

/// Whether a daemon serves a spool. The lock decides; what the daemon wrote about itself only informs.
struct DaemonProbe {
    enum State { case running, stopped, unknown }

    let state: State
    /// `daemon/daemon.json`, which a daemon that was killed leaves behind.
    let status: JSON?

    init(spool path: String) {
        let daemon = path + "/" + SpoolLayout.daemon
        state = Self.probe(daemon + "/" + SpoolLayout.Daemon.lock)
        let file = try? Directory(daemon).read(SpoolLayout.Daemon.status)
        status = file.flatMap { try? JSONReader.read($0.bytes) }
    }

    private static func probe(_ lock: String) -> State {
        let file = rouse_open(lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
        guard file >= 0 else { return errno == ENOENT ? .stopped : .unknown }
        defer { close(file) }
        // Shared, so that two who ask do not take each other for a daemon, and given back at once.
        if flock(file, LOCK_SH | LOCK_NB) == 0 { return .stopped }
        return errno == EWOULDBLOCK ? .running : .unknown
    }

    var pid: Int? { status?["pid"]?.int }
    var isRunning: Bool { state == .running }

    /// Makes a daemon that runs look at everything now. The signal reaches the process that wrote `daemon.json`, or
    /// none: another one that has got its number would be ended by it.
    func lookNow() {
        guard isRunning, let process = status.flatMap(ProcessIdentity.init), let descriptor = process.openDescriptor() else { return }
        defer { close(descriptor) }
        _ = rouse_pidfd_send_signal(descriptor, SIGUSR1)
    }

    static let advice = "start one with: rouse serve"
}
