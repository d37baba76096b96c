import Glibc
import SpoolFormat

/// What is in force for each queue.
final class QueueBook {
    private let files: ConfigurationDirectory<QueueConfiguration>
    private let none = QueueConfiguration()

    init(_ spool: Spool) {
        files = ConfigurationDirectory(spool, "queues") { json throws(TaskFault) in try QueueConfiguration.read(json) }
    }

    /// When a file that may be half-written is to be looked at again.
    var nextLook: TimeSpan? { files.nextLook }

    func refresh(_ report: (ConfigurationDirectory<QueueConfiguration>.Change) throws -> Void) throws { try files.refresh(report) }
    func complain(_ queue: String, _ record: RejectionRecord?) throws { try files.complain(queue, record) }

    var configured: [String] { files.values.keys.sorted() }

    subscript(queue: String) -> QueueConfiguration { files.values[queue] ?? none }

    /// How many jobs of the queue run at once: what is configured, else the number of cores.
    /// A session has one turn at a time, and one process.
    func slots(_ queue: String) -> Int { queue.contains(":") ? 1 : self[queue].slots ?? Self.cores }

    static let cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}
