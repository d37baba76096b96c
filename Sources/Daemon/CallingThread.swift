import Dispatch
import Synchronization

/// Runs a task, and what it starts and awaits, on the thread that waits for its end.
///
/// Swift's own pool has a timer on Linux that counts the pool's threads each second for as long as the process lives.
/// A daemon whose tasks never go to that pool sleeps while it has nothing to do.
final class CallingThread: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var outcome: Result<Void, any Error>?
    }

    private let state = Mutex(State())
    private let changed = DispatchSemaphore(value: 0)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        change { $0.jobs.append(job) }
    }

    /// Runs `body` to its end, once in the life of this object.
    func run(_ body: sending @escaping () async throws -> Void) throws {
        Task(executorPreference: self) {
            do {
                try await body()
                self.change { $0.outcome = .success(()) }
            } catch {
                self.change { $0.outcome = .failure(error) }
            }
        }
        while true {
            changed.wait()
            let (jobs, outcome) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.outcome)
            }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            if let outcome { return try outcome.get() }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        changed.signal()
    }
}
