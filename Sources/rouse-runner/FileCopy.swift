import Glibc
import SpoolFormat

/// Copies parts of one file to the end of another.
struct FileCopy {
    private let source: Int32
    private let target: Int32
    private(set) var endsInLineFeed = true

    init(from source: Int32, to target: Int32) {
        self.source = source
        self.target = target
    }

    mutating func append(_ text: String) -> Bool { writeAll(Array(text.utf8), to: target) }

    /// `false`, with `errno` set, where that is not possible.
    mutating func append(_ range: Range<Int64>) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 16) { buffer in
            var at = range.lowerBound
            while at < range.upperBound {
                let wanted = min(buffer.count, Int(range.upperBound - at))
                let count = pread(source, buffer.baseAddress!, wanted, off_t(at))
                if count == 0 { errno = EIO }
                if count < 0, errno == EINTR { continue }
                guard count > 0, write(UnsafeRawBufferPointer(rebasing: buffer.prefix(count))) else { return false }
                endsInLineFeed = buffer[count - 1] == 0x0A
                at += Int64(count)
            }
            return true
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(target, bytes.baseAddress! + done, bytes.count - done)
            if count < 0, errno != EINTR { return false }
            done += max(count, 0)
        }
        return true
    }
}
