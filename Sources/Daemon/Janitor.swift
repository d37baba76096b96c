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
    /// - Parameter roots: where given, the path is in one of them, and no symbolic link below it is followed.
    nonisolated func put(_ bytes: [UInt8], at path: String, within roots: [String], then report: @escaping @Sendable (SystemFault?) -> Void) {
        loop.post {
            do throws(SystemFault) {
                try Self.parent(of: path, within: roots).replace(String(path.split(separator: "/").last ?? ""), with: bytes, mode: 0o644)
                report(nil)
            } catch {
                report(error)
            }
        }
    }

    private static func parent(of path: String, within roots: [String]) throws(SystemFault) -> Directory {
        let parts = path.split(separator: "/").dropLast()
        guard !roots.isEmpty else { return try Directory("/" + parts.joined(separator: "/")) }
        for root in roots {
            let rootParts = root.split(separator: "/")
            guard parts.starts(with: rootParts) else { continue }
            var directory = try Directory(root)
            for part in parts.dropFirst(rootParts.count) { directory = try directory.directory(String(part)) }
            return directory
        }
        throw SystemFault("put a reply outside of the queue's reply_roots at", path, errno: EACCES)
    }

    nonisolated func stop() { loop.stop() }
}
