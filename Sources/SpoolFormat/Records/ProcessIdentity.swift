import CLinux
import Glibc

/// Which process, beyond doubt: a pid alone is used again.
public struct ProcessIdentity: Sendable, Equatable, Hashable {
    public var pid: Int32
    /// Start time in clock ticks since the boot (field 22 of `/proc/<pid>/stat`).
    public var startTime: UInt64
    /// `/proc/sys/kernel/random/boot_id`
    public var bootID: String

    public init(pid: Int32, startTime: UInt64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }

    /// The process that has `pid` now; `nil` where none has.
    public init?(pid: Int32) {
        guard let startTime = Self.startTime(of: pid) else { return nil }
        self.init(pid: pid, startTime: startTime, bootID: Self.currentBootID)
    }

    /// Whether this very process still exists. A zombie does not: it runs nothing any more.
    public var isAlive: Bool { bootID == Self.currentBootID && Self.startTime(of: pid) == startTime }

    /// A descriptor that stands for this very process, or `nil` where it is gone. A signal sent through it can't
    /// reach another process, however often the number is used again. The caller closes it.
    public func openDescriptor() -> Int32? {
        let descriptor = rouse_pidfd_open(pid)
        guard descriptor >= 0 else { return nil }
        // Looked at after the opening: if it is this process now, the descriptor is this process's.
        guard isAlive else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    public var json: JSON { ["pid": .number(pid), "start_time": .number(startTime), "boot_id": .string(bootID)] }

    /// Reads `pid`, `start_time` and `boot_id` of a record.
    public init?(_ value: JSON) {
        guard let pid = value["pid"]?.int.flatMap({ Int32(exactly: $0) }), pid > 0,
            let startTime = value["start_time"]?.int.flatMap({ UInt64(exactly: $0) }),
            let bootID = value["boot_id"]?.string
        else { return nil }
        self.init(pid: pid, startTime: startTime, bootID: bootID)
    }

    /// Changes with every boot of the machine.
    public static let currentBootID: String = {
        let path = "/proc/sys/kernel/random/"
        guard let bytes = try? Directory(path).read("boot_id")?.bytes else { return "unknown" }
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }()

    private static func startTime(of pid: Int32) -> UInt64? {
        let file = rouse_open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
            count = max(0, read(file, buffer.baseAddress!, 1024))
        }
        // The command's name, in parentheses, may hold anything: fields are counted from the last parenthesis on.
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)...].split(separator: 0x20)
        guard fields.count > 19, fields[0] != [UInt8(ascii: "Z")], fields[0] != [UInt8(ascii: "X")] else { return nil }
        return UInt64(String(decoding: fields[19], as: UTF8.self))
    }
}
