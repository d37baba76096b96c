import CLinux
import Glibc
import SpoolFormat

/// One daemon a spool: the lock on `daemon/lock` decides; the number in it only tells who holds it.
public final class DaemonLock: Sendable {
    private let descriptor: Int32

    /// For a command that must be alone with the spool at `path` for a while.
    public convenience init(spool path: String) throws(DaemonFault) { try self.init(try Spool(path)) }

    init(_ spool: Spool) throws(DaemonFault) {
        let path = spool.daemon.path + "/" + SpoolLayout.Daemon.lock
        let file = rouse_openat(spool.daemon.descriptor, SpoolLayout.Daemon.lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DaemonFault("\(SystemFault("open", path))", exitCode: 77) }
        // Whoever asks whether a daemon is running has the lock for an instant.
        var isOurs = false
        for _ in 0..<10 where !isOurs {
            isOurs = flock(file, LOCK_EX | LOCK_NB) == 0
            if !isOurs { poll(nil, 0, 20) }
        }
        guard isOurs else {
            let holder = Self.holder(file)
            close(file)
            throw DaemonFault("another daemon\(holder.map { " (pid \($0))" } ?? "") serves \(spool.path); stop it first, or look at it with: rouse status", exitCode: 75)
        }
        descriptor = file
        ftruncate(file, 0)
        _ = writeAll(Array("\(getpid())\n".utf8), to: file)
    }

    deinit { close(descriptor) }

    private static func holder(_ file: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(file, &bytes, 32, 0)
        let text = String(decoding: bytes.prefix(max(count, 0)).prefix { $0 != 0x0A }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}
