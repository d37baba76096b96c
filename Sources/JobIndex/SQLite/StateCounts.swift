import SpoolFormat

/// How many jobs there are per queue and state, so that nobody counts a million rows to draw one number.
struct StateCounts {
    private var counts: [String: [Int]] = [:]
    /// What was counted at the last commit, while a batch is open.
    private var committed: [String: [Int]]?

    mutating func add(_ count: Int, queue: String, state: JobState) {
        counts[queue, default: Array(repeating: 0, count: JobState.allCases.count)][state.code] += count
    }

    mutating func begin() { committed = counts }
    mutating func commit() { committed = nil }
    mutating func rollBack() {
        counts = committed ?? counts
        committed = nil
    }
    mutating func removeAll() { counts = [:] }

    func count(queue: String, _ states: JobState...) -> Int {
        guard let numbers = counts[queue] else { return 0 }
        return states.reduce(0) { $0 + numbers[$1.code] }
    }

    var queues: [String] { counts.keys.sorted(by: bytesPrecede) }

    var all: [JobCount] {
        queues.flatMap { queue in
            JobState.allCases.compactMap { state in
                let count = counts[queue]![state.code]
                return count == 0 ? nil : JobCount(queue: queue, state: state, count: count)
            }
        }
    }
}
