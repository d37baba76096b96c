import CLinux
import Glibc
import SpoolFormat

/// `archive/<day>.jsonl`: what is left of jobs that are forgotten, a line each.
final class ArchiveLog {
    private let directory: Directory

    init(_ directory: Directory) { self.directory = directory }

    /// Appends lines in one write, all or none, and puts them on disk: what they stand for is removed next.
    func append(_ lines: [JSON]) throws(SystemFault) {
        let name = Timestamp.now.day + ".jsonl"
        let file = rouse_openat(directory.descriptor, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemFault("open", directory.path + "/" + name) }
        defer { close(file) }
        let start = lseek(file, 0, SEEK_END)
        guard writeAll(lines.flatMap { JSONWriter.write($0, .line) }, to: file), fdatasync(file) == 0 else {
            let fault = SystemFault("write", directory.path + "/" + name)
            ftruncate(file, start)
            throw fault
        }
    }

    /// Ids in the files of today and yesterday: a line that a crash followed is in one of them.
    func recentIDs() throws -> Set<String> {
        var ids: Set<String> = []
        let now = Timestamp.now
        for day in [now.day, Timestamp(milliseconds: now.milliseconds - 86_400_000).day] {
            guard let (bytes, _) = try directory.read(day + ".jsonl", limit: 1 << 30) else { continue }
            for line in bytes.split(separator: 0x0A) {
                if let id = (try? JSONReader.read(Array(line)))?["id"]?.string { ids.insert(id) }
            }
        }
        return ids
    }
}
