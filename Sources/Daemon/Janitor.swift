import Glibc
import SpoolFormat

/// Removes trees on a thread of its own: it may take long, and must hold nothing up.
actor Janitor {
    private nonisolated let loop: EventLoop
    private let staging: Directory
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(staging: Directory) throws(DaemonFault) {
        loop = try EventLoop(name: "rouse-janitor")
        self.staging = staging
    }

    /// Removes `name` below `.staging/`; what can't be removed is left for the next start.
    nonisolated func remove(_ name: String) {
        loop.post { [staging] in try? staging.removeTree(name) }
    }

    nonisolated func stop() { loop.stop() }
}
