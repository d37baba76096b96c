import CLinux
import Glibc
import SpoolFormat

/// The lock that a daemon has on its spool, taken by a command that must be alone.
final class SpoolLock {
    private let descriptor: Int32

    init(_ spool: SpoolDirectory) throws {
        let directory = try spool.root.directory(makingIfMissing: SpoolLayout.daemon)
        descriptor = rouse_openat(
            directory.descriptor, SpoolLayout.Daemon.lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFault("open", directory.path + "/" + SpoolLayout.Daemon.lock) }
        // Whoever only asks whether a daemon is running has the lock for an instant.
        for _ in 0..<20 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
            usleep(10_000)
        }
        close(descriptor)
        let pid = DaemonProbe(spool: spool.path).pid.map { " (pid \($0))" } ?? ""
        throw CommandFault("a daemon\(pid) serves \(spool.path); stop it first", .tryLater)
    }

    deinit { close(descriptor) }
}
