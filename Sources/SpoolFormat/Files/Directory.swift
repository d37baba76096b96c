import CLinux
import Glibc

/// An open directory. Everything in a spool is reached by a name within a directory that is held open, so that no
/// link along a path can lead elsewhere.
public final class Directory: Sendable {
    public let descriptor: Int32
    /// Where it was opened; for messages.
    public let path: String

    private init(owning descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Opens the directory at `path`.
    public convenience init(_ path: String) throws(SystemFault) {
        let descriptor = rouse_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SystemFault("open", path) }
        self.init(owning: descriptor, path: path)
    }

    /// Opens the sub-directory `name`, not through a symbolic link.
    public func directory(_ name: some FileName) throws(SystemFault) -> Directory {
        let opened = name.withCString {
            rouse_openat(descriptor, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        }
        guard opened >= 0 else { throw fault("open", name) }
        return Directory(owning: opened, path: path + "/" + name.display)
    }

    public func makeDirectory(_ name: some FileName, mode: UInt32 = 0o700) throws(SystemFault) {
        guard name.withCString({ mkdirat(descriptor, $0, mode) }) == 0 else { throw fault("make the directory", name) }
    }

    /// Makes `name` where it is missing and opens it.
    public func directory(makingIfMissing name: some FileName, mode: UInt32 = 0o700) throws(SystemFault) -> Directory {
        if name.withCString({ mkdirat(descriptor, $0, mode) }) != 0, errno != EEXIST {
            throw fault("make the directory", name)
        }
        return try directory(name)
    }

    /// What `name` is, itself and not what it may link to; `nil` where there is none.
    public func status(_ name: some FileName) throws(SystemFault) -> FileStatus? {
        var raw = stat()
        guard name.withCString({ fstatat(descriptor, $0, &raw, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return nil }
            throw fault("look at", name)
        }
        return FileStatus(raw)
    }

    /// What this directory itself is.
    public func status() throws(SystemFault) -> FileStatus {
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else { throw SystemFault("look at", path) }
        return FileStatus(raw)
    }

    public func contains(_ name: some FileName) -> Bool {
        name.withCString { faccessat(descriptor, $0, F_OK, AT_SYMLINK_NOFOLLOW) } == 0
    }

    /// Renames `name` to `newName` in `target`. Nothing is ever replaced unless `replacing` says so.
    public func rename(
        _ name: some FileName, to target: Directory, as newName: some FileName, replacing: Bool = false
    ) throws(SystemFault) {
        let flags: UInt32 = replacing ? 0 : 1  // RENAME_NOREPLACE
        let result = name.withCString { old in
            newName.withCString { rouse_renameat2(descriptor, old, target.descriptor, $0, flags) }
        }
        guard result == 0 else {
            throw SystemFault("rename to \(target.path)/\(newName.display) from", path + "/" + name.display)
        }
    }

    public func removeFile(_ name: some FileName) throws(SystemFault) {
        guard name.withCString({ unlinkat(descriptor, $0, 0) }) == 0 || errno == ENOENT else {
            throw fault("remove", name)
        }
    }

    public func removeEmptyDirectory(_ name: some FileName) throws(SystemFault) {
        guard name.withCString({ unlinkat(descriptor, $0, AT_REMOVEDIR) }) == 0 || errno == ENOENT else {
            throw fault("remove the directory", name)
        }
    }

    /// Removes `name` and all below it. Symbolic links are removed, never followed; other file systems mounted below
    /// are left and reported.
    public func removeTree(_ name: some FileName) throws(SystemFault) {
        guard let status = try status(name) else { return }
        guard status.kind == .directory else { return try removeFile(name) }
        _ = name.withCString { fchmodat(descriptor, $0, 0o700, 0) }
        let inner = try directory(name)
        for entry in try inner.entries() {
            if entry.kind == .directory || entry.kind == nil {
                try inner.removeTree(entry.name)
            } else {
                try inner.removeFile(entry.name)
            }
        }
        try removeEmptyDirectory(name)
    }

    /// Flushes the directory's entries to disk.
    public func synchronize() throws(SystemFault) {
        guard fsync(descriptor) == 0 else { throw SystemFault("sync", path) }
    }

    func fault(_ operation: String, _ name: some FileName) -> SystemFault {
        SystemFault(operation, path + "/" + name.display)
    }
}
