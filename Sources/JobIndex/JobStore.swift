public import SpoolFormat

/// Where the daemon keeps what it knows of jobs, to choose and to search quickly.
///
/// The files are the truth; a store is derived from them and can be built again. Changes gather in one batch until
/// `commit`; the daemon reads its own uncommitted changes. A store belongs to one task at a time (it is used from the
/// daemon's own serial executor), so its methods are synchronous: none waits for anything but the local disk.
///
/// Every implementation passes the conformance suite in `Tests/JobIndexTests`.
public protocol JobStore: AnyObject {
    /// Inserts the job, or replaces what was known of it.
    func put(_ row: JobRow) throws
    func remove(_ id: JobID) throws
    func job(_ id: JobID) throws -> JobRow?

    /// The jobs that are to start next in `queue`, at most `limit`: queued, of a verb that runs, the highest priority
    /// first, then the order of acceptance. Costs the same however many are queued.
    func queued(in queue: String, limit: Int) throws -> [JobRow]

    /// Jobs per queue and state. Kept up to date, not counted anew.
    func counts() throws -> [JobCount]

    /// Unfinished jobs with this key, in the order of acceptance.
    func unfinished(key: String) throws -> [JobRow]
    /// Of the unfinished jobs with this key that were accepted before `sequence`, the last: the one that the next has to
    /// wait for. Costs the same however many wait.
    func holder(ofKey key: String, before sequence: Int64) throws -> JobRow?
    /// The job accepted last with this key, finished or not; one that was superseded does not count.
    func latest(key: String) throws -> JobRow?
    /// Unfinished jobs in `waiting/` that name `name` (an id or key) in `after`, in the order of acceptance.
    func waiting(forDependency name: String) throws -> [JobRow]
    /// Of the jobs in `waiting/` because of this key, the first that was accepted after `sequence`.
    func nextWaiting(forKey key: String, after sequence: Int64) throws -> JobRow?

    /// The earliest instant at which something falls due: a wait that ends or a job that expires before its start.
    func nextDue() throws -> Timestamp?
    /// What is due at `now`, earliest first, at most `limit`.
    func due(at now: Timestamp, limit: Int) throws -> [JobRow]

    func childCount(of parent: String) throws -> Int
    /// Jobs that the selector names, in the order of acceptance, of the given states.
    func select(_ selector: Selector, in states: Set<JobState>) throws -> [JobRow]

    /// Every job's id and state, in no order: what a sweep compares with the directories.
    func forEachState(_ body: (JobID, JobState) throws -> Void) throws
    func highestSequence() throws -> Int64

    /// Finished jobs that are to be forgotten, longest finished first: finished before `time` in that queue (every
    /// queue where `nil`), at most `limit`.
    func finished(in queue: String?, before time: Timestamp, limit: Int) throws -> [JobRow]
    /// The finished jobs of `queue` beyond the newest `count`, longest finished first, at most `limit`.
    func finished(in queue: String, beyondNewest count: Int, limit: Int) throws -> [JobRow]

    /// Remembers how a job ended that is forgotten otherwise.
    func remember(_ job: ForgottenJob) throws
    /// What is remembered of the job with this id or, where there is none, of the one with this key that finished last
    /// and was not superseded.
    func forgotten(_ name: String) throws -> ForgottenJob?
    /// Remembers no longer what finished before `time`.
    func dropForgotten(before time: Timestamp) throws

    /// Jobs as a list shows them, by `filter`.
    func list(_ filter: JobFilter) throws -> [JobRow]

    /// Small facts about the spool itself: the boot the index was last written in, and the like.
    func fact(_ name: String) throws -> String?
    func setFact(_ name: String, _ value: String?) throws

    /// Forgets every job, also those that are remembered, before the index is built again.
    func removeAll() throws
    /// Makes the batch visible to other readers and durable against a crash of the daemon. Not yet synced: see
    /// `IndexSync`.
    func commit() throws
    /// Drops the changes since the last `commit`, after one of them failed.
    func rollback() throws
    /// Ends the use of the store and leaves it whole on disk. Nothing may be asked of it afterwards.
    func close() throws
}

extension JobStore {
    /// The job that is to start next in `queue`.
    public func nextQueued(in queue: String) throws -> JobRow? { try queued(in: queue, limit: 1).first }
}

public struct JobCount: Sendable, Equatable, Hashable {
    public var queue: String
    public var state: JobState
    public var count: Int

    public init(queue: String, state: JobState, count: Int) {
        self.queue = queue
        self.state = state
        self.count = count
    }
}

/// Which jobs a list shows.
public struct JobFilter: Sendable, Equatable {
    /// `nil` is all of them.
    public var states: Set<JobState>?
    public var queue: String?
    public var labels: [String: String]
    public var parent: String?
    public var outcome: Outcome?
    public var newestFirst: Bool
    public var limit: Int?

    public init(states: Set<JobState>? = nil, queue: String? = nil, labels: [String: String] = [:], parent: String? = nil, outcome: Outcome? = nil, newestFirst: Bool = false, limit: Int? = nil) {
        self.states = states
        self.queue = queue
        self.labels = labels
        self.parent = parent
        self.outcome = outcome
        self.newestFirst = newestFirst
        self.limit = limit
    }
}
