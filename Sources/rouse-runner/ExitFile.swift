import Glibc
import SpoolFormat

/// Writes `exit.json`, and does not give up: it is the only word of how the attempt ended.
struct ExitFile {
    /// Milliseconds between two tries.
    static let pause: Int64 = 500

    private let job: Directory
    private let log: LogKeeper
    var record: ExitRecord?

    init(in job: Directory, log: LogKeeper) {
        self.job = job
        self.log = log
    }

    /// Tries once.
    /// - Returns: the record when it is on disk, or when nobody can want it there any more: the job's directory has
    ///   been removed.
    mutating func write() -> ExitRecord? {
        guard var record else { return nil }
        do throws(SystemFault) {
            try job.replace(SpoolLayout.Job.exit, with: JSONWriter.write(record.json))
            return record
        } catch {
            if error.isMissing, let status = try? job.status(), status.links == 0 { return record }
            if error.errno == ENOSPC || error.errno == EDQUOT, let given = log.giveUpMiddle() {
                record.logBytesLeftOut += given
                let note = "the disk was full, so the middle of the log was given up to make room for this record"
                record.message = record.message.map { $0 + "; " + note } ?? note
                self.record = record
            }
            return nil
        }
    }
}
