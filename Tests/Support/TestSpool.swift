import CLinux
import Glibc
public import SpoolFormat

/// A spool of its own for one test, removed with everything in it at the end.
public final class TestSpool: @unchecked Sendable {
    public let path: String
    private var watch: Int32

    /// - Parameter parent: where to make it; the default is `$TMPDIR` or `/tmp`.
    public init(in parent: String? = nil) {
        let base = parent ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/rouse-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "cannot make a directory in \(base)")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for directory in SpoolLayout.directories { mkdir("\(path)/\(directory)", 0o700) }
        // Every change of state is a line in events/: that is what a test waits on.
        watch = inotify_init1(Int32(IN_CLOEXEC))
        precondition(watch >= 0, "cannot watch: \(String(cString: strerror(errno)))")
        for (directory, mask) in [("events", IN_MODIFY | IN_CREATE), ("rejected", IN_MOVED_TO), ("config/queues", IN_MOVED_TO | IN_DELETE), ("config/schedules", IN_MOVED_TO | IN_DELETE), ("daemon", IN_MOVED_TO)] {
            precondition(inotify_add_watch(watch, "\(path)/\(directory)", UInt32(mask)) >= 0)
        }
    }

    /// A job outlives its daemons, but not its spool.
    deinit {
        Programs.endAll(ofSpool: path)
        remove()
    }

    /// Removes the spool; also done when the last reference goes.
    public func remove() {
        guard watch >= 0 else { return }
        close(watch)
        // By the second time the number may be another test's.
        watch = -1
        guard let parent = try? Directory(String(path[..<path.lastIndex(of: "/")!])) else { return }
        try? parent.removeTree(String(path[path.lastIndex(of: "/")!...].dropFirst()))
    }

    // MARK: dropping and looking

    /// Drops a task as `mv` does: written elsewhere on the same file system, renamed into the inbox.
    public func drop(_ name: String, _ text: String, queue: String? = nil) {
        let temporary = "\(path)/.staging/.drop-\(name.prefix(100))"
        write(text, to: temporary)
        let target = "\(path)/inbox/" + (queue.map { $0 + "/" } ?? "") + name + (name.contains(".") ? "" : ".json")
        precondition(rename(temporary, target) == 0, "cannot drop \(name): \(String(cString: strerror(errno)))")
    }

    public func write(_ text: String, to path: String, mode: UInt32 = 0o600) {
        let file = rouse_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        precondition(file >= 0 && writeAll(Array(text.utf8), to: file), "cannot write \(path): \(String(cString: strerror(errno)))")
        close(file)
    }

    /// Puts a configuration file in place in one step: `configure("queues/night", "{…}")`.
    public func configure(_ name: String, _ text: String) {
        write(text, to: "\(path)/.staging/.configuration")
        precondition(rename("\(path)/.staging/.configuration", "\(path)/config/\(name).json") == 0)
    }

    public func exists(_ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }

    public func text(_ name: String) -> String? {
        guard let root = try? Directory(path), let (bytes, _) = try? root.read(name, limit: 1 << 30) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    public func json(_ name: String) -> JSON? {
        text(name).flatMap { try? JSONReader.read(Array($0.utf8), maximumDepth: JSONReader.maximumRecordDepth) }
    }

    /// Names in a directory of the spool, sorted; hidden ones left out.
    public func list(_ directory: String) -> [String] {
        guard let entries = try? Directory("\(path)/\(directory)").entries() else { return [] }
        return entries.map(\.name.display).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The state whose directory has the job.
    public func state(of id: String) -> String? {
        JobState.allCases.map(\.rawValue).first { exists("\($0)/\(id)") }
    }

    public func result(of id: String) -> JSON? {
        ["done", "failed"].lazy.compactMap { self.json("\($0)/\(id)/result.json") }.first
    }

    /// The events so far, oldest first; those of one job where an id is given.
    public func events(of id: String? = nil) -> [JSON] {
        list("events").compactMap { text("events/\($0)") }.joined().split(separator: "\n")
            .compactMap { try? JSONReader.read(Array($0.utf8)) }
            .filter { id == nil || $0["job"]?.string == id }
    }

    // MARK: waiting

    /// Waits until `condition` holds, looking again at every event; `false` after `seconds`, which no test that
    /// passes comes near.
    /// - Parameter descriptor: looks again also when this is readable: a process descriptor, when the process has ended.
    public func wait(seconds: Int = 120, or descriptor: Int32 = -1, for condition: () -> Bool) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let end = now.tv_sec + seconds
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !condition() {
            clock_gettime(CLOCK_MONOTONIC, &now)
            guard now.tv_sec < end else { return condition() }
            var descriptors = [watch, descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            // The clock for what leaves no event: files that a program under test writes by itself.
            if poll(&descriptors, 2, 200) > 0, descriptors[0].revents != 0 { _ = read(watch, &buffer, buffer.count) }
        }
        return true
    }

    /// Waits until the job is finished, and gives its result.
    public func finished(_ id: String, seconds: Int = 120) -> JSON? {
        _ = wait(seconds: seconds) { self.exists("done/\(id)") || self.exists("failed/\(id)") }
        return result(of: id)
    }

    /// Waits until the job is in that state.
    public func reaches(_ state: String, _ id: String, seconds: Int = 120) -> Bool {
        wait(seconds: seconds) { self.exists("\(state)/\(id)") }
    }

    /// Waits until a file is rejected, and gives the reason.
    public func rejection(of name: String, seconds: Int = 120) -> JSON? {
        _ = wait(seconds: seconds) { self.exists("rejected/\(name).error.json") }
        return json("rejected/\(name).error.json")
    }
}
