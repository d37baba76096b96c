import Glibc
import SpoolFormat

/// Does on a thread of its own what may take long and must hold nothing up: removing trees, and putting results where
/// others want them, which may be a file system that hangs.
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

    /// Puts a file at an absolute path in one step, then says how it went.
    nonisolated func put(_ bytes: [UInt8], at path: String, then report: @escaping @Sendable (SystemFault?) -> Void) {
        loop.post {
            let parts = path.split(separator: "/")
            let parent = "/" + parts.dropLast().joined(separator: "/")
            do throws(SystemFault) {
                try Directory(parent).replace(String(parts.last ?? ""), with: bytes, mode: 0o644)
                report(nil)
            } catch {
                report(error)
            }
        }
    }

    nonisolated func stop() { loop.stop() }
}
