public import SpoolFormat

/// What a directory in `running/` says of its attempt when nobody remembers.
public enum AttemptEvidence {
    /// The attempt is over, and its runner wrote how it ended.
    case finished(ExitRecord)
    /// Its runner lives; look again when the runner has ended.
    case alive(AdoptedRunner)
    /// The program was never started: the runner makes the log before it starts the program.
    case neverStarted
    /// The runner is gone and has left no word. What the program did is not known, and some of its processes may live
    /// on: `Orphans`.
    case lost

    /// Examines a job's directory, and gives the record of the attempt that it is about; that is `nil` where
    /// `run.json` is missing or not to be understood.
    public static func examine(_ job: Directory) throws(SystemFault) -> (RunRecord?, AttemptEvidence) {
        let run = try record(in: job)
        if let exit = try exit(in: job, of: run) { return (run, .finished(exit)) }
        if let run, let runner = AdoptedRunner(run.runner) { return (run, .alive(runner)) }
        // It may have written its record and ended between the two looks.
        if let exit = try exit(in: job, of: run) { return (run, .finished(exit)) }
        return (run, try job.status(SpoolLayout.Job.log) == nil ? .neverStarted : .lost)
    }

    private static func record(in job: Directory) throws(SystemFault) -> RunRecord? {
        guard let file = try job.read(SpoolLayout.Job.run), let value = try? JSONReader.read(file.bytes) else { return nil }
        return try? RunRecord.read(value)
    }

    /// The exit record, if it is of the attempt that `run` is about.
    private static func exit(in job: Directory, of run: RunRecord?) throws(SystemFault) -> ExitRecord? {
        guard let file = try job.read(SpoolLayout.Job.exit), let value = try? JSONReader.read(file.bytes),
            let exit = ExitRecord(value), run == nil || run?.attempt == exit.attempt
        else { return nil }
        return exit
    }
}
