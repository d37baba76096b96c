import CInotifyTools
import CLinux
import Glibc

/// libinotifytools, initialised. The library's state belongs to the process and is not locked, so the object is made
/// once, handed to the watch thread, and used and destroyed there alone.
///
/// It serves for what the library does safely: to initialise, to read events and to name them. Its tree of names never
/// shrinks and gives stale watch descriptors for a path that was made again, its filter hides overflows, its recursion
/// misses new directories: watches are set and removed on its descriptor directly (`InotifyDescriptor`).
final class InotifyLibrary {
    let descriptor: InotifyDescriptor

    init() throws(WatchError) {
        descriptor = try Self.initialise()
        let number = descriptor.number
        guard number < FD_SETSIZE else {
            inotifytools_cleanup()
            throw .descriptorTooHigh(number)
        }
        // The library leaves it to be inherited by children, and blocking.
        guard rouse_set_cloexec_nonblock(number) == 0 else {
            let fault = WatchError.unavailable(errno: errno)
            inotifytools_cleanup()
            throw fault
        }
        discardLeftovers()
    }

    /// Every watch must be removed by now.
    deinit {
        discardLeftovers()
        inotifytools_cleanup()
    }

    /// Reads up to `limit` events, one at a time, without waiting for any. The library reads from the kernel in blocks
    /// and keeps the rest for itself, where `poll` does not see it: unless the answer says that all were read, call
    /// again before waiting.
    func read(upTo limit: Int, _ take: (InotifyEvent) -> Void) throws(WatchError) -> Bool {
        for _ in 0..<limit {
            guard let raw = Self.nextEvent() else {
                let code = inotifytools_error()
                guard code == 0 || code == EINTR || code == EAGAIN else { throw .unavailable(errno: code) }
                return true
            }
            take(InotifyEvent(copying: raw))
        }
        return false
    }

    /// The names of the events in `mask`: `CREATE,ISDIR`.
    func names(of mask: UInt32) -> String { String(cString: inotifytools_event_to_str(Int32(bitPattern: mask))) }

    /// The library's buffer outlives its descriptor: events that were read and not taken would be given to the next
    /// watcher, under watch descriptors that mean other directories there.
    private func discardLeftovers() {
        while Self.nextEvent() != nil {}
    }

    /// The next event, if there is one. `inotifytools_next_event(0)` would wait for it without end: it takes 0 seconds
    /// for -1. The function for several events does not.
    private static func nextEvent() -> UnsafeMutablePointer<inotify_event>? { inotifytools_next_events(0, 1) }

    /// Initialises the library and finds out which descriptor it opened, which it does not tell: the inotify descriptor
    /// that was not there before. Another thread may open one at the same moment; then it is tried again.
    private static func initialise() throws(WatchError) -> InotifyDescriptor {
        for _ in 0..<8 {
            let before = InotifyDescriptor.allInProcess()
            guard inotifytools_initialize() != 0 else { throw .unavailable(errno: inotifytools_error()) }
            let new = InotifyDescriptor.allInProcess().subtracting(before)
            if new.count == 1, let number = new.first { return InotifyDescriptor(number: number) }
            inotifytools_cleanup()
        }
        throw .descriptorNotFound
    }
}
