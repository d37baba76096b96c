import CLinux
import Glibc
import SpoolFormat
import Synchronization

/// What the watch thread is asked to do.
enum WatchCommand: Sendable {
    case watch(WatchToken, AbsolutePath, WatchInterest)
    case unwatch(WatchToken)
    case verify
    case stop
}

/// Hands commands from any thread to the watch thread, and wakes it through an eventfd that it polls together with
/// inotify.
final class CommandQueue: Sendable {
    private struct State {
        var waiting: [WatchCommand] = []
        var isOpen = true
    }

    let descriptor: Int32
    private let state = Mutex(State())

    init() throws(WatchError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw .system(SystemFault("make", "an eventfd")) }
    }

    deinit { close() }

    /// Adds a command. Nothing happens after the thread has ended.
    func post(_ command: WatchCommand) {
        state.withLock { state in
            guard state.isOpen else { return }
            state.waiting.append(command)
            // One wake-up is enough for all that waits. The write is within the lock, so that the descriptor is ours.
            if state.waiting.count == 1 { _ = eventfd_write(descriptor, 1) }
        }
    }

    /// All that was posted since the last time. To be called when the descriptor is readable.
    func take() -> [WatchCommand] {
        state.withLock { state in
            var count: eventfd_t = 0
            _ = eventfd_read(descriptor, &count)
            defer { state.waiting.removeAll() }
            return state.waiting
        }
    }

    func close() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            state.waiting.removeAll()
            _ = Glibc.close(descriptor)
        }
    }
}
