import CLinux
import Glibc
import SpoolFormat

/// Drops files into an inbox so that whoever looks sees the whole task or none, and a power cut after the drop does
/// not take it back.
struct InboxWriter {
    let path: String
    private let descriptor: Int32
    /// A directory that may be written but not listed can't be opened for a sync of its own.
    private let canSynchronize: Bool
    private let mode: UInt32

    init(_ path: String) throws {
        self.path = path
        var opened = rouse_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        canSynchronize = opened >= 0
        if opened < 0, errno == EACCES { opened = rouse_open_path_only(path) }
        guard opened >= 0 else { throw SystemFault("open", path) }
        descriptor = opened
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemFault("look at", path) }
        // The daemon is the inbox's owner, and must be able to read what another drops.
        mode = status.st_uid == geteuid() ? 0o600 : 0o644
    }

    /// Puts a task there as `<id>.json`.
    /// - Returns: `nil` where the name is taken.
    func drop(_ task: TaskText, as id: JobID) throws -> DroppedFile? {
        let name = id.text + ".json"
        guard let descriptor = try drop(task.bytes, named: name) else { return nil }
        return DroppedFile(id, at: path + "/" + name, isVerb: task.isVerb, descriptor: descriptor)
    }

    /// - Returns: a descriptor of the file.
    private func drop(_ bytes: [UInt8], named name: String) throws -> Int32? {
        let temporary = ".\(name).\(getpid()).tmp"
        let file = rouse_openat(descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard file >= 0 else { throw SystemFault("write", path + "/" + temporary) }
        defer { close(file) }
        var isPublished = false
        defer { if !isPublished { unlinkat(descriptor, temporary, 0) } }
        fchmod(file, mode)
        guard writeAll(bytes, to: file) else { throw SystemFault("write", path + "/" + temporary) }
        guard fsync(file) == 0 else { throw SystemFault("sync", path + "/" + temporary) }
        guard let published = try publish(temporary, as: name) else { return nil }
        isPublished = true
        guard (canSynchronize ? fsync(descriptor) : rouse_syncfs(file)) == 0 else {
            let fault = SystemFault("sync", path)
            close(published)
            throw fault
        }
        return published
    }

    private func publish(_ temporary: String, as name: String) throws -> Int32? {
        let file = try open(temporary)
        if rouse_renameat2(descriptor, temporary, descriptor, name, 1) == 0 { return file }  // RENAME_NOREPLACE
        let code = errno
        close(file)
        if code == EEXIST { return nil }
        guard code == EINVAL || code == ENOSYS else { throw SystemFault("rename to \(name) from", path + "/" + temporary, errno: code) }
        // Not every file system knows that flag; a second name is refused by all of them where the name is taken.
        guard linkat(descriptor, temporary, descriptor, name, 0) == 0 else {
            if errno == EEXIST { return nil }
            throw SystemFault("link to \(name) from", path + "/" + temporary)
        }
        defer { unlinkat(descriptor, temporary, 0) }
        return try open(name)
    }

    private func open(_ name: String) throws -> Int32 {
        let file = rouse_openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard file >= 0 else { throw SystemFault("open", path + "/" + name) }
        return file
    }
}

/// Names for tasks that bring none: short, and in the order in which they were made.
struct GeneratedName {
    private static let randomDigits = 4
    private var last: UInt64 = 0

    mutating func next() -> String {
        let random = UInt64.random(in: 0..<(1 << (5 * UInt64(Self.randomDigits))))
        let now = UInt64(clamping: Timestamp.now.milliseconds) << (5 * UInt64(Self.randomDigits))
        last = max(last + 1, now | random)
        return JobID.sortable(last, width: 9 + Self.randomDigits)
    }
}
