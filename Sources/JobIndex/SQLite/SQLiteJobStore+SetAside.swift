import Glibc
public import SpoolFormat

extension SQLiteJobStore {
    /// Puts a damaged index out of the way, so that a new one can be built in its place: `index.sqlite` becomes
    /// `index.sqlite.damaged-<time>`. No store may have it open. Gives the new path.
    ///
    /// The log goes first: beside a new index, an old log would be replayed into it.
    @discardableResult
    public static func setAside(_ path: String, at now: Timestamp = .now) throws(SystemFault) -> String {
        let time = String(now.description.map { $0 == ":" ? "-" : $0 })
        let target = "\(path).damaged-\(time)"
        for suffix in ["-wal", ""] {
            guard rename(path + suffix, target + suffix) == 0 || errno == ENOENT else {
                throw SystemFault("set aside", path + suffix)
            }
        }
        // Nothing but an image in memory of the log.
        guard unlink(path + "-shm") == 0 || errno == ENOENT else { throw SystemFault("remove", path + "-shm") }
        return target
    }
}
