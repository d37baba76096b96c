import JobRunner
import SpoolFormat

/// The runner processes: those that wait for work, those that guard an attempt, and those that an earlier daemon
/// started and that are only watched.
final class Runners {
    /// What came of an attempt that is no longer guarded.
    enum Ending {
        case exited(ExitRecord)
        /// The runner would not act on the job: its record names another one, or the attempt has begun before.
        case refused(String)
        /// The runner is gone; the job's files tell more.
        case vanished
    }

    var onEnd: (JobID, Int, Ending) -> Void = { _, _, _ in }

    private let executable: String
    private let spool: String
    private let descriptors: Descriptors
    private var idle: [RunnerProcess] = []
    private var busy: [JobID: Busy] = [:]
    private var adopted: [JobID: (runner: AdoptedRunner, attempt: Int)] = [:]

    private struct Busy {
        let runner: RunnerProcess
        let attempt: Int
        /// It has been told to begin; until then there is nothing that could be told to end.
        var hasBegun = false
        var isCancelled = false
    }

    init(executable: String, spool: String, descriptors: Descriptors) {
        self.executable = executable
        self.spool = spool
        self.descriptors = descriptors
    }

    var count: Int { busy.count + adopted.count }
    var idleCount: Int { idle.count }
    func isGuarded(_ id: JobID) -> Bool { busy[id] != nil || adopted[id] != nil }

    /// Starts runners until `count` of them wait; ends those beyond it.
    func keepWaiting(_ count: Int) throws(SystemFault) {
        while idle.count < count { idle.append(try start()) }
        while idle.count > count { end(idle.removeFirst()) }
    }

    /// Takes a runner that waits, or starts one.
    func take() throws(SystemFault) -> RunnerProcess {
        if let runner = idle.popLast() { return runner }
        return try start()
    }

    /// Gives a runner back that was taken and not used.
    func giveBack(_ runner: RunnerProcess) {
        if runner.isClosed { end(runner) } else { idle.append(runner) }
    }

    /// From now on `runner` belongs to the job; it has not been told to begin.
    func assign(_ runner: RunnerProcess, to id: JobID, attempt: Int) { busy[id] = Busy(runner: runner, attempt: attempt) }

    /// Lets the job's runner begin the attempt that the job's `run.json` describes.
    func begin(_ id: JobID, attempt: Int) {
        guard let entry = busy[id], entry.attempt == attempt else { return }
        guard !entry.isCancelled else { return release(id, attempt, .refused("it was to end before it began")) }
        busy[id]?.hasBegun = true
        do throws(SystemFault) {
            try entry.runner.run(id, attempt: attempt)
        } catch {
            // It is gone, or can't be told and ends when it is let go of. The job's files say that nothing began.
            busy[id] = nil
            end(entry.runner)
            onEnd(id, attempt, .vanished)
        }
    }

    /// Watches a runner that an earlier daemon has started.
    func adopt(_ runner: AdoptedRunner, for id: JobID, attempt: Int) {
        adopted[id] = (runner, attempt)
        descriptors.watch(runner.descriptor) { [weak self] in
            guard let self, let runner = self.adopted.removeValue(forKey: id)?.runner else { return }
            self.descriptors.forget(runner.descriptor)
            self.onEnd(id, attempt, .vanished)
        }
    }

    /// Asks for the end of the attempt. Its record comes as always.
    func cancel(_ id: JobID) {
        busy[id]?.isCancelled = true
        if let busy = busy[id], busy.hasBegun { busy.runner.cancel(id, attempt: busy.attempt) }
        adopted[id]?.runner.cancel()
    }

    /// Lets go of all runners: those that wait end, those that guard an attempt go on alone.
    func letGo() {
        for runner in idle + busy.values.map(\.runner) { end(runner) }
        for adopted in adopted.values { descriptors.forget(adopted.runner.descriptor) }
        idle = []
        busy = [:]
        adopted = [:]
    }

    private func start() throws(SystemFault) -> RunnerProcess {
        let runner = try RunnerProcess.spawn(executable: executable, spool: spool)
        descriptors.watch(runner.descriptor) { [weak self, weak runner] in
            guard let self, let runner else { return }
            self.listen(to: runner)
        }
        return runner
    }

    private func listen(to runner: RunnerProcess) {
        for message in runner.receive() {
            switch message {
            case .exit(let id, let attempt, let record): release(id, attempt, .exited(record))
            case .refused(let id, let attempt, let reason): release(id, attempt, .refused(reason))
            case .prepare, .run, .cancel: break
            }
        }
        guard runner.isClosed else { return }
        end(runner)
        idle.removeAll { $0 === runner }
        for (id, busy) in busy where busy.runner === runner {
            self.busy[id] = nil
            onEnd(id, busy.attempt, .vanished)
        }
    }

    private func release(_ id: JobID, _ attempt: Int, _ ending: Ending) {
        guard let entry = busy[id], entry.attempt == attempt else { return }
        busy[id] = nil
        idle.append(entry.runner)
        onEnd(id, attempt, ending)
    }

    private func end(_ runner: RunnerProcess) {
        // Twice, it would let go of whoever has the number now.
        guard !runner.isLetGo else { return }
        descriptors.forget(runner.descriptor)
        runner.close()
    }
}
