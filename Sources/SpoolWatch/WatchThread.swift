import CLinux
import Glibc
import SpoolFormat
import Synchronization

/// A thread of the system's own: what blocks in `poll` must not occupy one of the few threads that run Swift's tasks.
final class WatchThread: Sendable {
    static let name = "rouse-watch"

    private let id: pthread_t
    private let isJoinable = Mutex(true)

    /// Starts a thread that does `body` and ends. Signals are left to the other threads, except those that report a
    /// fault of the thread itself.
    init(_ body: sending @escaping () -> Void) throws(WatchError) {
        let start = Unmanaged.passRetained(Start(body))
        var thread = pthread_t()
        // A thread inherits the mask of its creator, so there is no moment in which it could get a signal.
        let code = Self.withSignalsBlocked {
            pthread_create(&thread, nil, { WatchThread.main($0) }, start.toOpaque())
        }
        guard code == 0 else {
            start.release()
            throw .system(SystemFault("start", "the watch thread", errno: code))
        }
        id = thread
    }

    var isCurrent: Bool { pthread_equal(pthread_self(), id) != 0 }

    /// Returns when the thread has ended, to every caller.
    func join() {
        isJoinable.withLock { isJoinable in
            if isJoinable { pthread_join(id, nil) }
            isJoinable = false
        }
    }

    /// Lets the thread end with nobody waiting for it.
    func detach() {
        isJoinable.withLock { isJoinable in
            if isJoinable { pthread_detach(id) }
            isJoinable = false
        }
    }

    private final class Start {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        rouse_set_thread_name(name)
        if let argument { Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
    }

    private static func withSignalsBlocked<Result>(_ body: () -> Result) -> Result {
        var blocked = sigset_t()
        var before = sigset_t()
        sigfillset(&blocked)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] { sigdelset(&blocked, fault) }
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return body()
    }
}
