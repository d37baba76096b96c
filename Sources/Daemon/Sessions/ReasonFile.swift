import CLinux
import Glibc
import SpoolFormat

/// `reasons.jsonl` in a wake's job: a line a reason.
struct ReasonFile {
    private let job: Directory
    private static let name = SpoolLayout.Job.reasons

    /// Of more the rest is not read: half a million reasons.
    private static let most = 256 << 20

    init(in job: Directory) { self.job = job }

    /// The reasons in the order they came. A line that was cut short by a crash is none: what was to be in it is told
    /// again.
    func read() throws(SystemFault) -> [WakeReason] {
        guard let bytes = try job.read(Self.name, limit: Self.most)?.bytes else { return [] }
        return bytes.split(separator: 0x0A).compactMap { line in (try? JSONReader.read(Array(line))).flatMap(WakeReason.init) }
    }

    func append(_ reason: WakeReason) throws(SystemFault) {
        let file = rouse_openat(job.descriptor, Self.name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemFault("open", job.path + "/" + Self.name) }
        defer { close(file) }
        let end = lseek(file, 0, SEEK_END)
        var last: UInt8 = 0x0A
        if end > 0 { _ = pread(file, &last, 1, end - 1) }
        let line = JSONWriter.write(reason.json, .line)
        guard writeAll(last == 0x0A ? line : [0x0A] + line, to: file) else {
            let fault = SystemFault("write", job.path + "/" + Self.name)
            ftruncate(file, end)
            throw fault
        }
    }
}
