import CLinux
import Glibc
import SpoolFormat
import SpoolWatch
import Synchronization

/// Blocks until something in a watched directory has changed. Which one is never told: whoever waits looks again.
final class Bell {
    private let watcher: DirectoryWatcher
    private let signal: Signal

    /// To be made before much else is opened.
    init() throws {
        let signal = try Signal()
        self.signal = signal
        watcher = try DirectoryWatcher(
            onNotice: { Terminal.complain($0) }, onHint: { _ in signal.ring() })
    }

    func watch(_ path: String, for interest: WatchInterest = []) -> WatchToken { watcher.watch(path, for: interest) }

    func unwatch(_ token: WatchToken) { watcher.unwatch(token) }

    /// Returns when there is something to look at; `false` when `deadline` comes first.
    func wait(until deadline: ContinuousClock.Instant? = nil) -> Bool { signal.wait(until: deadline) }
}

/// One thread rings, another waits.
private final class Signal: Sendable {
    private let descriptor: Int32

    init() throws(SystemFault) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard descriptor >= 0 else { throw SystemFault("make", "an event descriptor") }
    }

    deinit { close(descriptor) }

    func ring() { eventfd_write(descriptor, 1) }

    func wait(until deadline: ContinuousClock.Instant?) -> Bool {
        while true {
            var timeout: Int32 = -1
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline)
                guard left > .zero else { return false }
                let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
                timeout = Int32(clamping: milliseconds)
            }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, timeout) > 0 {
                var count: eventfd_t = 0
                eventfd_read(descriptor, &count)
                return true
            }
        }
    }
}
