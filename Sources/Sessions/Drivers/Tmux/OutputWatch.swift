import CLinux
import Glibc
import SpoolFormat

/// Tells when a terminal's output has grown, and what came.
final class OutputWatch {
    private let file: Int32
    /// Can be read when there is something new; negative where the file can't be watched.
    let descriptor: Int32

    init(_ path: String) {
        file = rouse_open(path, O_RDONLY | O_CLOEXEC, 0)
        let watch = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        if file >= 0, watch >= 0, inotify_add_watch(watch, path, UInt32(IN_MODIFY)) >= 0 {
            descriptor = watch
        } else {
            if watch >= 0 { close(watch) }
            descriptor = -1
        }
    }

    deinit { for open in [file, descriptor] where open >= 0 { close(open) } }

    /// Takes the news away.
    func clear() {
        guard descriptor >= 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            while read(descriptor, buffer.baseAddress!, buffer.count) > 0 {}
        }
    }

    var size: Int {
        var status = stat()
        return fstat(file, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Milliseconds since something came last.
    var age: Int64 {
        var status = stat()
        guard fstat(file, &status) == 0 else { return 0 }
        let changed = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        return max(0, Timestamp.now.milliseconds - changed)
    }

    /// What came after `offset`: its end, where it is more than `limit`.
    func bytes(from offset: Int, limit: Int) -> [UInt8] {
        let size = size
        let start = max(offset, size - limit)
        guard size > start else { return [] }
        return [UInt8](unsafeUninitializedCapacity: size - start) { buffer, count in
            count = max(0, pread(file, buffer.baseAddress, size - start, off_t(start)))
        }
    }
}
