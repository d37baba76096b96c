import CLinux
import Glibc
import SpoolFormat

/// A file that was dropped, followed to wherever the daemon takes it.
///
/// Taking it in, and rejecting it, renames the file and never copies it. So the path that the kernel knows for it tells
/// what became of it, also where its name was in use and the job has another id.
final class DroppedFile {
    enum Place: Equatable {
        case inbox, staging
        case job(JobID, JobState)
        /// Under this name in `rejected/`.
        case rejected(String)
        /// It was removed, or it can't be followed here.
        case unknown
    }

    /// The id that its name asks for.
    let id: JobID
    /// Where it was dropped.
    let path: String
    /// It says a verb that is acted on at once.
    let isVerb: Bool
    private let descriptor: Int32

    /// - Parameter descriptor: is of the file, and is closed with this.
    init(_ id: JobID, at path: String, isVerb: Bool, descriptor: Int32) {
        self.id = id
        self.path = path
        self.isVerb = isVerb
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Where it is now in the spool.
    func place(in spool: String) -> Place {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else { return .unknown }
        let path = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            count = max(0, buffer.withMemoryRebound(to: CChar.self) { readlink("/proc/self/fd/\(descriptor)", $0.baseAddress!, $0.count) })
        }
        guard path.starts(with: Array((spool + "/").utf8)) else { return .unknown }
        let parts = String(decoding: path.dropFirst(spool.utf8.count + 1), as: UTF8.self).split(separator: "/").map(String.init)
        switch parts.first {
        case SpoolLayout.inbox: return .inbox
        case SpoolLayout.staging: return .staging
        case SpoolLayout.rejected where parts.count == 2: return .rejected(parts[1])
        case let name?:
            guard let state = JobState(rawValue: name), parts.count == 3, let id = JobID(parts[1]) else { return .unknown }
            return .job(id, state)
        case nil: return .unknown
        }
    }
}
