import Glibc
import SpoolFormat

/// What `/proc` says of a process.
struct ProcessFigures {
    let pid: pid_t

    /// Resident memory, in bytes.
    func residentBytes() throws -> Int64 {
        guard let kibibytes = Self.field("VmRSS:", of: "/proc/\(pid)/status") else { throw BenchmarkFault("process \(pid) is gone") }
        return kibibytes * 1024
    }

    /// How often each of its threads has gone to sleep since it began, and thus how often it was woken.
    func sleeps() throws -> [pid_t: Int64] {
        var sleeps: [pid_t: Int64] = [:]
        for entry in try Directory("/proc/\(pid)/task").entries() {
            guard let thread = pid_t(entry.name.display) else { continue }
            sleeps[thread] = Self.field("voluntary_ctxt_switches:", of: "/proc/\(pid)/task/\(thread)/status")
        }
        return sleeps
    }

    /// The processes that it has started and that live.
    func children() throws -> [ProcessFigures] {
        var children: [ProcessFigures] = []
        for thread in try Directory("/proc/\(pid)/task").entries() {
            guard let content = try Directory("/proc/\(pid)/task/\(thread.name.display)").read("children") else { continue }
            let pids = String(decoding: content.bytes, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
            children += pids.map { ProcessFigures(pid: $0) }
        }
        return children
    }

    private static func field(_ name: String, of path: String) -> Int64? {
        let parts = path.split(separator: "/")
        guard let directory = try? Directory("/" + parts.dropLast().joined(separator: "/")),
            let content = try? directory.read(String(parts.last!))
        else { return nil }
        for line in String(decoding: content.bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.utf8.count).split(whereSeparator: { $0 == " " || $0 == "\t" }).first.flatMap { Int64($0) }
        }
        return nil
    }
}
