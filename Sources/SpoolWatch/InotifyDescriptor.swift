import CInotifyTools
import Glibc

/// The library's descriptor, for what the library is not trusted with: setting and removing watches.
struct InotifyDescriptor: Sendable {
    let number: Int32

    /// Watches `path` for `events` in addition to those its directory is watched for already, and gives the number of
    /// the watch: the same for the same directory, whatever the path; a new one when the path leads to another.
    func watch(_ path: AbsolutePath, for events: UInt32, followingLink: Bool) throws(WatchError) -> Int32 {
        var flags = UInt32(IN_ONLYDIR | IN_MASK_ADD | IN_DELETE_SELF | IN_MOVE_SELF)
        if !followingLink { flags |= UInt32(IN_DONT_FOLLOW) }
        let watch = inotify_add_watch(number, path.text, events | flags)
        guard watch >= 0 else { throw .cannotWatch(path: path.text, errno: errno) }
        return watch
    }

    /// Removes a watch. That it is gone already is not an error.
    func remove(_ watch: Int32) { _ = inotify_rm_watch(number, watch) }

    /// The numbers of all inotify descriptors of this process.
    static func allInProcess() -> Set<Int32> {
        guard let directory = opendir("/proc/self/fd") else { return [] }
        defer { closedir(directory) }
        var found: Set<Int32> = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let number = Int32(name) else { continue }
            if target(of: number) == "anon_inode:inotify" { found.insert(number) }
        }
        return found
    }

    private static func target(of number: Int32) -> String {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            let count = readlink("/proc/self/fd/\(number)", buffer.baseAddress!, buffer.count)
            return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        }
    }
}
