import CLinux
import Glibc
import SpoolFormat

/// The log of an attempt, read as it grows.
final class LogFile {
    private let descriptor: Int32
    private let path: String

    /// `nil` where there is none yet.
    init?(_ directory: Directory) throws {
        path = directory.path + "/" + SpoolLayout.Job.log
        descriptor = rouse_openat(
            directory.descriptor, SpoolLayout.Job.log, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemFault("open", path)
        }
    }

    deinit { close(descriptor) }

    /// Copies what has come since the last call to standard output.
    func copyNew() throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, min(skipHole(), buffer.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemFault("read", path) }
            if count == 0 { return }
            Output.write(Array(buffer[..<count]))
        }
    }

    /// The runner takes the middle out of a log that grows too large, while it grows.
    /// - Returns: how much there is to read before the next hole.
    private func skipHole() -> Int {
        let here = lseek(descriptor, 0, SEEK_CUR)
        let data = lseek(descriptor, here, Self.seekData)
        let hole = data < 0 ? -1 : lseek(descriptor, data, Self.seekHole)
        guard data >= 0, hole > data else {
            // The end, or a file system that does not tell.
            lseek(descriptor, here, SEEK_SET)
            return .max
        }
        lseek(descriptor, data, SEEK_SET)
        if data > here { Output.write(Array("[rouse: \(data - here) bytes left out]\n".utf8)) }
        return hole - data
    }

    private static let seekData: Int32 = 3  // SEEK_DATA
    private static let seekHole: Int32 = 4  // SEEK_HOLE

    /// Goes to where the last `count` lines begin.
    func seek(toLast count: Int) throws {
        var end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw SystemFault("read", path) }
        guard count > 0 else { return }
        var left = count
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var isLast = true
        while end > 0 {
            let size = min(Int(end), buffer.count)
            let got = pread(descriptor, &buffer, size, end - size)
            guard got == size else { break }
            for index in stride(from: size - 1, through: 0, by: -1) {
                // The line feed at the very end closes the last line.
                if buffer[index] == 0x0A, !isLast {
                    left -= 1
                    if left <= 0 {
                        lseek(descriptor, end - size + index + 1, SEEK_SET)
                        return
                    }
                }
                isLast = false
            }
            end -= size
        }
        lseek(descriptor, 0, SEEK_SET)
    }

    func tail(lines: Int) throws -> [UInt8] {
        try seek(toLast: lines)
        return try TaskText.read(descriptor: descriptor, name: path, limit: 1 << 20)
    }
}
