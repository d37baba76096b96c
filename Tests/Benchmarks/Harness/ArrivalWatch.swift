import CLinux
import Glibc

/// Counts what arrives in directories, by inotify: renames into them, or files that were written there.
final class ArrivalWatch {
    private let descriptor: Int32
    private(set) var count = 0

    static let renames = UInt32(IN_MOVED_TO)
    static let writes = UInt32(IN_CLOSE_WRITE)

    init(_ directories: [(path: String, events: UInt32)]) throws {
        descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else { throw BenchmarkFault.system("use inotify") }
        for (path, events) in directories {
            guard inotify_add_watch(descriptor, path, events) >= 0 else { throw BenchmarkFault.system("watch \(path)") }
        }
    }

    deinit { close(descriptor) }

    /// Waits until `total` have arrived since the watch began. With a `step` it looks only every so many
    /// milliseconds, so that waiting takes nothing from what is waited for.
    func wait(for total: Int, step: Int? = nil, deadline: Int = 120) throws {
        let end = Clock.now + Int64(deadline) * 1_000_000_000
        while true {
            read()
            if count >= total { return }
            guard Clock.now < end else { throw BenchmarkFault("only \(count) of \(total) came within \(deadline) s") }
            if let step {
                Clock.sleep(milliseconds: step)
            } else {
                var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                _ = poll(&watched, 1, 1000)
            }
        }
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let size = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress!, $0.count) }
            guard size > 0 else { return }
            var offset = 0
            while offset < size {
                let length = buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self) }
                offset += 16 + Int(length)
                count += 1
            }
        }
    }
}
