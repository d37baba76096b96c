import Dispatch
import Glibc
public import SpoolFormat
import Synchronization

/// Brings what was committed to the index onto the disk, without the committing task ever waiting for a disk.
///
/// `request` promises: when its completion is called with success, everything that was committed before the request
/// outlives a power cut. One sync serves all requests that came before it began; those that come while it runs share
/// the next one.
///
/// Why syncing the log is enough. A commit has written its frames to the `-wal` file, each with a checksum that
/// continues the one before; after a power cut SQLite replays the log up to the last whole commit. Three things may
/// have happened between the commit and the sync:
/// - Nothing: the frames are in the log, and the sync puts the log on the disk.
/// - A checkpoint copied the frames to the database: they are in the log still, and the sync puts them on the disk.
/// - After a checkpoint the log was begun anew, or removed: SQLite does this only when *every* frame has been copied
///   and the database synced (with `synchronous=NORMAL` it syncs the log before the first page is copied, and the
///   database after the last), so the commit is on the disk already, in the database.
///
/// After a failed sync the kernel may have thrown the pages away and call the next sync a success. So one failure is
/// final: every later request fails too. An index that is built anew, with its own `IndexSync`, goes on from there.
///
/// The syncs run on a serial dispatch queue. There is no thread while there is nothing to sync, so an idle daemon is
/// not woken, and a disk that hangs holds a thread of the queue's own, none of those that Swift's tasks share.
public final class IndexSync: Sendable {
    public typealias Completion = @Sendable (Result<Void, SystemFault>) -> Void

    private struct State {
        var completions: [Completion] = []
        var isScheduled = false
        var isStopped = false
    }

    private struct Log: ~Copyable {
        var file: WriteAheadLog
        var fault: SystemFault?

        mutating func synchronize() -> Result<Void, SystemFault> {
            if fault == nil {
                do throws(SystemFault) { try file.synchronize() } catch { fault = error }
            }
            return fault.map(Result.failure) ?? .success(())
        }
    }

    private let path: String
    private let queue = DispatchQueue(label: "rouse.index-sync")
    private let state = Mutex(State())
    /// Only the queue asks for it; the lock is never waited for.
    private let log: Mutex<Log>

    /// Syncs for the index at `path`, which need not exist yet.
    public init(path: String) {
        self.path = path
        log = Mutex(Log(file: WriteAheadLog(ofIndex: path)))
    }

    /// Has everything that was committed before this call synced. The completion comes on a thread of this object and
    /// must not block; it always comes, after `stop` at once and with `ECANCELED`.
    public func request(_ completion: Completion? = nil) {
        let (isStopped, schedules) = state.withLock { state in
            if state.isStopped { return (true, false) }
            state.completions.append(completion ?? { _ in })
            defer { state.isScheduled = true }
            return (false, !state.isScheduled)
        }
        if isStopped { completion?(.failure(SystemFault("sync", path, errno: ECANCELED))) }
        if schedules { queue.async { self.run() } }
    }

    /// Finishes what was requested and returns when nothing runs any more. Not to be called by a completion.
    public func stop() {
        state.withLock { $0.isStopped = true }
        dispatchPrecondition(condition: .notOnQueue(queue))
        queue.sync {}
    }

    private func run() {
        while let completions = next() {
            let result = log.withLock { $0.synchronize() }
            for completion in completions { completion(result) }
        }
    }

    private func next() -> [Completion]? {
        state.withLock { state in
            guard !state.completions.isEmpty else {
                state.isScheduled = false
                return nil
            }
            defer { state.completions = [] }
            return state.completions
        }
    }
}
