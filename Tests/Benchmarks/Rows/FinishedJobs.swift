import Glibc
import SpoolFormat

/// Jobs as they lie in `done/` when they have run, made without running them.
enum FinishedJobs {
    static func task(_ number: Int) -> TaskRecord {
        TaskRecord(
            id: JobID("job-\(number)")!, sequence: Int64(number), verb: .run(["/bin/true"]), queue: Defaults.queue,
            uid: geteuid(), acceptedAt: .now, depth: 0, options: TaskOptions())
    }

    static func make(_ count: Int, in spool: Directory) throws {
        let done = try spool.directory(makingIfMissing: JobState.done.rawValue)
        let runner = ProcessIdentity(pid: getpid())!
        for number in 1...count {
            let task = task(number)
            let run = RunRecord(task: task, attempt: 1, lost: 0, queueEnvironment: [:], spool: spool.path, runner: runner, at: .now)
            let exit = ExitRecord(attempt: 1, cause: .exited, exitCode: 0, startedAt: .now, finishedAt: .now, durationMilliseconds: 3)
            var result = ResultRecord(id: task.id, outcome: .succeeded, attempts: 1, queuedAt: task.acceptedAt, finishedAt: .now)
            result.take(exit)
            result.log = "done/\(task.id)/log"
            try done.makeDirectory(task.id.text)
            let job = try done.directory(task.id.text)
            try job.write(JSONWriter.write(task.json), to: SpoolLayout.Job.task)
            try job.write(JSONWriter.write(run.json), to: SpoolLayout.Job.run)
            try job.write([], to: SpoolLayout.Job.log)
            try job.write(JSONWriter.write(exit.json), to: SpoolLayout.Job.exit)
            try job.write(JSONWriter.write(result.json), to: SpoolLayout.Job.result)
        }
    }
}
