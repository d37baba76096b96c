import CLinux
import Glibc

/// One look at a process, with what is needed to know it again.
package struct ProcessStatus: Hashable {
    package let pid: Int32
    package let parent: Int32
    /// In clock ticks since the boot: a second process with the same number has another.
    package let startTime: UInt64
    /// It runs nothing any more. A main thread that has ended while others go on is not that.
    package let isGone: Bool

    package init?(pid: Int32) {
        guard let bytes = ProcFile.read("/proc/\(pid)/stat"), let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        // From the last parenthesis on, as the name of the command may hold anything. Field 3, the state, is then 0.
        let fields = bytes[(end + 1)...].split(maxSplits: 20, whereSeparator: { $0 == 0x20 })
        guard fields.count > 19, let parent = Self.number(fields[1]), let threads = Self.number(fields[17]),
            let start = Self.number(fields[19])
        else { return nil }
        self.pid = pid
        self.parent = Int32(truncatingIfNeeded: parent)
        startTime = start
        let state = fields[0].first
        isGone = state == UInt8(ascii: "X") || (state == UInt8(ascii: "Z") && threads <= 1)
    }

    // The same process may have another parent by the next look.
    package static func == (left: ProcessStatus, right: ProcessStatus) -> Bool {
        left.pid == right.pid && left.startTime == right.startTime
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(pid) }

    package enum Delivery { case sent, gone, notPermitted }

    /// Sends `signals` to this very process and to no other that may have its number by now.
    @discardableResult
    package func send(_ signals: Int32...) -> Delivery {
        let handle = rouse_pidfd_open(pid)
        guard handle >= 0 else { return .gone }
        defer { close(handle) }
        // Looked at after the opening: if the number is its own now, the handle is its own for ever.
        guard let now = ProcessStatus(pid: pid), now.startTime == startTime, !now.isGone else { return .gone }
        for signal in signals where rouse_pidfd_send_signal(handle, signal) != 0 {
            return errno == EPERM ? .notPermitted : .gone
        }
        return .sent
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? { UInt64(String(decoding: digits, as: UTF8.self)) }
}

/// Files of `/proc`, whose size is not known before they are read.
package enum ProcFile {
    package static func read(_ path: String) -> [UInt8]? {
        let file = rouse_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var content: [UInt8] = []
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            while true {
                let count = Glibc.read(file, buffer.baseAddress!, buffer.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return nil
                }
                if count == 0 { return content }
                content.append(contentsOf: buffer.prefix(count))
            }
        }
    }

    /// The entries of a directory that are numbers: processes, or the threads of one.
    package static func numbers(in path: String) -> [Int32] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var numbers: [Int32] = []
        while let entry = readdir(stream) {
            let number = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { Int32(String(cString: $0)) }
            }
            if let number { numbers.append(number) }
        }
        return numbers
    }
}
