import SpoolWatch
import Synchronization

/// Carries the watcher's hints to the reconciler, which does not exist yet when the watcher is made. What comes
/// before is dropped: at its start the reconciler looks at everything.
final class HintRelay: Sendable {
    private let reconciler = Mutex<Reconciler?>(nil)

    func connect(_ reconciler: Reconciler) { self.reconciler.withLock { $0 = reconciler } }

    /// On the watcher's thread.
    func pass(_ hint: WatchHint) {
        guard let reconciler = reconciler.withLock({ $0 }) else { return }
        let path: String? =
            switch hint.scope {
            case .directory(let token): token.path
            case .everything: nil
            }
        reconciler.loop.post { [weak reconciler] in reconciler?.assumeIsolated { $0.look(at: path, reopening: hint.reopen) } }
    }
}
