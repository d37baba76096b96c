import CLinux
import Glibc
import SpoolFormat

/// The write-ahead log of an index as a file to sync, by a descriptor of its own.
///
/// Closing a descriptor drops every POSIX lock that the process holds on that file. SQLite has its locks on the
/// database and on the `-shm` file, and takes none on the log, so this descriptor may come and go as it likes; one of
/// the other two never may.
struct WriteAheadLog: ~Copyable {
    private let path: String
    private var descriptor: Int32 = -1
    private var device: dev_t = 0
    private var inode: ino_t = 0

    init(ofIndex path: String) { self.path = path + "-wal" }

    deinit { if descriptor >= 0 { close(descriptor) } }

    mutating func synchronize() throws(SystemFault) {
        guard try follow() else { return }
        while fdatasync(descriptor) != 0 {
            guard errno == EINTR else { throw SystemFault("sync", path) }
        }
    }

    /// Makes sure that the descriptor is of the file that has the log's name now; `false` where there is none. SQLite
    /// removes the log when the last connection closes, after all of it has been synced in the database.
    private mutating func follow() throws(SystemFault) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw SystemFault("look at", path) }
            forget()
            return false
        }
        if descriptor >= 0, status.st_ino == inode, status.st_dev == device { return true }
        forget()
        let opened = rouse_open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard opened >= 0 else {
            guard errno == ENOENT else { throw SystemFault("open", path) }
            return false
        }
        guard fstat(opened, &status) == 0 else {
            close(opened)
            throw SystemFault("look at", path)
        }
        (descriptor, device, inode) = (opened, status.st_dev, status.st_ino)
        // A new log is of use only if its name is on the disk too.
        try Directory(directoryPath).synchronize()
        return true
    }

    private mutating func forget() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private var directoryPath: String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
