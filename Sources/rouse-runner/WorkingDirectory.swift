import CLinux
import Glibc
import SpoolFormat

/// Where the program starts: the directory that the task names, or one of its own in the job's directory.
final class WorkingDirectory {
    let descriptor: Int32

    init(of record: RunRecord, in job: Directory, blanks: Blanks) throws(Unstartable) {
        let path = Self.path(of: record)
        if let cwd = record.cwd {
            descriptor = rouse_open_path_only(cwd)
        } else {
            do throws(SystemFault) {
                try blanks.makeDirectory(SpoolLayout.Job.work, in: job)
            } catch where error.errno != EEXIST {
                throw Unstartable("cannot make the working directory \(path)", errno: error.errno)
            } catch {}
            descriptor = rouse_openat_path_only(job.descriptor, SpoolLayout.Job.work)
        }
        guard descriptor >= 0 else { throw Unstartable("cannot use the working directory \(path)", errno: errno) }
        guard faccessat(descriptor, ".", X_OK, 0) == 0 else {
            throw Unstartable("cannot enter the working directory \(path)", errno: errno)
        }
    }

    deinit { close(descriptor) }

    static func path(of record: RunRecord) -> String {
        record.cwd ?? jobPath(of: record) + "/" + SpoolLayout.Job.work
    }

    /// The job's directory as the program is to know it.
    static func jobPath(of record: RunRecord) -> String {
        record.spool + "/" + JobState.running.rawValue + "/" + record.id.text
    }
}
