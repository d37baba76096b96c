import JobRunner
import SpoolFormat

/// A `run.json` that is this runner's to act on, and the log that says that it does.
struct Intent {
    let record: RunRecord
    let job: Directory
    let log: LogKeeper
    /// The program's, where it was made in advance.
    let environment: ProgramEnvironment?

    /// Opens `running/<id>`, checks that its record names this attempt and this runner, and makes the log. An attempt
    /// whose log exists has begun before and is never begun again; one without a log has not.
    init(_ id: JobID, _ attempt: Int, in spool: Directory, runner: ProcessIdentity, preparation: Preparation?, blanks: Blanks) throws(Refusal) {
        do throws(SystemFault) { job = try spool.directory(JobState.running.rawValue).directory(id.text) } catch { throw Refusal(error) }
        (record, environment) = try Self.record(in: job, preparation)
        guard record.id == id, record.attempt == attempt, record.runner == runner else {
            throw Refusal(
                "\(SpoolLayout.Job.run) is for attempt \(record.attempt) of \(record.id) by process \(record.runner.pid), "
                    + "this is process \(runner.pid), told to run attempt \(attempt) of \(id)")
        }
        do throws(SystemFault) { log = try LogKeeper(in: job, most: record.limits.logBytes ?? Defaults.logBytes, from: blanks) } catch { throw Refusal(error) }
    }

    /// What was prepared counts only where it is what is there.
    private static func record(in job: Directory, _ preparation: Preparation?) throws(Refusal) -> (RunRecord, ProgramEnvironment?) {
        let place = job.path + "/" + SpoolLayout.Job.run
        let file: (bytes: [UInt8], status: FileStatus)?
        do throws(SystemFault) { file = try job.read(SpoolLayout.Job.run) } catch { throw Refusal(error) }
        guard let file else { throw Refusal("\(place) is missing") }
        if let preparation, preparation.bytes == file.bytes { return (preparation.record, preparation.environment) }
        guard let value = try? JSONReader.read(file.bytes), let record = try? RunRecord.read(value) else {
            throw Refusal("cannot understand \(place)")
        }
        return (record, nil)
    }
}
