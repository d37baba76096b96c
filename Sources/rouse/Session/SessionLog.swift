import CLinux
import Glibc
import SpoolFormat

/// The whole lines of a file that grows, and that may be begun anew when it has grown large: each of them once.
///
/// Nobody writes to a file that has lost its name. So one that is seen to have lost it, and is then read to its end, has
/// been read whole, and what follows it is the one that was begun after it.
final class SessionLog {
    private let directory: String
    private let name: String
    /// What a file is called that has been begun anew; `nil` for one that never is.
    private let nameBefore: String?
    private var file: Int32 = -1
    private var rest: [UInt8] = []

    init(_ directory: String, _ name: String, before: String? = nil) {
        self.directory = directory
        self.name = name
        nameBefore = before
    }

    deinit { if file >= 0 { close(file) } }

    func next() throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while true {
            // In this order: what is begun anew in between is what stood there, and is seen as the one before.
            var current = try open(name)
            var before = try nameBefore.map(open) ?? -1
            defer { for descriptor in [current, before] where descriptor >= 0 { close(descriptor) } }
            let isFirst = file < 0
            if !isFirst {
                lines += try read()
                guard current >= 0, Self.place(current) != Self.place(file) else { return lines }
            }
            let follows = before >= 0 && (isFirst || Self.place(before) != Self.place(file))
            guard follows || current >= 0 else { return lines }
            if !isFirst { close(file) }
            if follows { (file, before) = (before, -1) } else { (file, current) = (current, -1) }
            rest = []
        }
    }

    private func open(_ name: String) throws -> Int32 {
        let path = directory + "/" + name
        let descriptor = rouse_open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard descriptor >= 0 || errno == ENOENT else { throw SystemFault("open", path) }
        return descriptor
    }

    private func read() throws -> [[UInt8]] {
        let bytes = try TaskText.read(descriptor: file, name: directory + "/" + name, limit: 1 << 30)
        var lines = (rest + bytes).split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
        rest = lines.removeLast()
        return lines
    }

    /// Which file it is, whatever its name.
    private static func place(_ descriptor: Int32) -> [UInt64]? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
    }
}
