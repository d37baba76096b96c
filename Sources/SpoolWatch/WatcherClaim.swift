import Synchronization

/// The right to be the one watcher of this process, held as long as the object lives.
final class WatcherClaim: Sendable {
    private static let isTaken = Mutex(false)

    init() throws(WatchError) {
        let isFree = Self.isTaken.withLock { taken in
            defer { taken = true }
            return !taken
        }
        guard isFree else { throw .alreadyWatching }
    }

    deinit { Self.isTaken.withLock { $0 = false } }
}
