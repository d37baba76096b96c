import Glibc
import SpoolFormat
import Synchronization

/// Puts copies of results where others want them.
///
/// That may be a file system that hangs, and there is no way to take a thread back from one. So each reply has a thread
/// of its own, nobody waits for it, and a directory that hangs gets no more than a few: it holds up neither the replies
/// to others nor the end of the daemon.
final class Courier: Sendable {
    private static let mostThreads = 128
    private static let mostInDirectory = 8

    private struct Delivery {
        let bytes: [UInt8]
        let path: String
        let roots: [String]
        let report: @Sendable (SystemFault?) -> Void

        var directory: String { path.split(separator: "/").dropLast().map { "/" + $0 }.joined() }
    }

    private struct State {
        var waiting: [Delivery] = []
        /// Threads by the directory that they are in.
        var active: [String: Int] = [:]

        /// The first delivery that may begin, counted as begun.
        mutating func takeNext() -> Delivery? {
            guard active.values.reduce(0, +) < mostThreads else { return nil }
            guard let index = waiting.firstIndex(where: { active[$0.directory, default: 0] < mostInDirectory }) else { return nil }
            active[waiting[index].directory, default: 0] += 1
            return waiting.remove(at: index)
        }

        mutating func ended(_ delivery: Delivery) {
            let left = active[delivery.directory, default: 1] - 1
            active[delivery.directory] = left == 0 ? nil : left
        }
    }

    private let state = Mutex(State())

    /// Puts a file at an absolute path in one step, then says how it went.
    /// - Parameter roots: where given, the path is in one of them, and no symbolic link below it is followed.
    func put(_ bytes: [UInt8], at path: String, within roots: [String], then report: @escaping @Sendable (SystemFault?) -> Void) {
        state.withLock { $0.waiting.append(Delivery(bytes: bytes, path: path, roots: roots, report: report)) }
        if let delivery = state.withLock({ $0.takeNext() }) { start(delivery) }
    }

    private final class Start: Sendable {
        let courier: Courier
        let delivery: Delivery
        init(_ courier: Courier, _ delivery: Delivery) { (self.courier, self.delivery) = (courier, delivery) }
    }

    private func start(_ delivery: Delivery) {
        let box = Unmanaged.passRetained(Start(self, delivery))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 256 << 10)
        var id = pthread_t()
        let code = pthread_create(&id, &attributes, { argument in
            let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
            start.courier.work(from: start.delivery)
            return nil
        }, box.toOpaque())
        guard code != 0 else { return }
        box.release()
        state.withLock { $0.ended(delivery) }
        delivery.report(SystemFault("start a thread for", delivery.path, errno: code))
    }

    private func work(from first: Delivery) {
        var next: Delivery? = first
        while let delivery = next {
            do throws(SystemFault) {
                let name = String(delivery.path.split(separator: "/").last ?? "")
                try Self.parent(of: delivery.path, within: delivery.roots).replace(name, with: delivery.bytes, mode: 0o644)
                delivery.report(nil)
            } catch {
                delivery.report(error)
            }
            next = state.withLock { state in
                state.ended(delivery)
                return state.takeNext()
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
}
