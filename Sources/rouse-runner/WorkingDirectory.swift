import CLinux
import Glibc
import SpoolFormat

/// Where the program starts: the directory that the task names, or one of its own in the job's directory.
final class WorkingDirectory {
    let path: String
    let descriptor: Int32

    init(of record: RunRecord, in job: Directory) throws(Unstartable) {
        if let cwd = record.cwd {
            path = cwd
            descriptor = rouse_open_path_only(cwd)
        } else {
            path = Self.jobPath(of: record) + "/" + SpoolLayout.Job.work
            guard mkdirat(job.descriptor, SpoolLayout.Job.work, 0o700) == 0 || errno == EEXIST else {
                throw Unstartable("cannot make the working directory \(path)", errno: errno)
            }
            descriptor = rouse_openat_path_only(job.descriptor, SpoolLayout.Job.work)
        }
        guard descriptor >= 0 else { throw Unstartable("cannot use the working directory \(path)", errno: errno) }
        guard faccessat(descriptor, ".", X_OK, 0) == 0 else {
            throw Unstartable("cannot enter the working directory \(path)", errno: errno)
        }
    }

    deinit { close(descriptor) }

    /// The job's directory as the program is to know it.
    static func jobPath(of record: RunRecord) -> String {
        record.spool + "/" + JobState.running.rawValue + "/" + record.id.text
    }
}
