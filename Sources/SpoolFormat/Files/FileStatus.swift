import CLinux
import Glibc

/// What `stat` says of a file, as far as Rouse asks.
public struct FileStatus: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case file, directory, symbolicLink, fifo, socket, device

        public var words: String {
            switch self {
            case .file: "a regular file"
            case .directory: "a directory"
            case .symbolicLink: "a symbolic link"
            case .fifo: "a FIFO"
            case .socket: "a socket"
            case .device: "a device"
            }
        }
    }

    public let kind: Kind
    public let device: UInt64
    public let inode: UInt64
    public let size: Int64
    public let links: Int
    public let uid: UInt32
    public let gid: UInt32
    /// Permission bits, 0o7777.
    public let mode: UInt32
    /// Last change of content, in nanoseconds since 1970.
    public let modified: Int64
    /// Last change of content, links, owner or mode, in nanoseconds since 1970.
    public let changed: Int64
    /// Room the file takes on disk, in bytes.
    public let allocated: Int64

    init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .device
            }
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        size = Int64(raw.st_size)
        links = Int(raw.st_nlink)
        uid = raw.st_uid
        gid = raw.st_gid
        mode = raw.st_mode & 0o7777
        modified = Int64(raw.st_mtim.tv_sec) * 1_000_000_000 + Int64(raw.st_mtim.tv_nsec)
        changed = Int64(raw.st_ctim.tv_sec) * 1_000_000_000 + Int64(raw.st_ctim.tv_nsec)
        allocated = Int64(raw.st_blocks) * 512
    }

    /// Whether both are the same file with the same content, as far as can be told without reading it.
    public func isSameContent(as other: FileStatus) -> Bool {
        device == other.device && inode == other.inode && size == other.size && modified == other.modified
    }
}
