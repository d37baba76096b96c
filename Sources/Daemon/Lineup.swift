import JobIndex
import SpoolFormat

/// What may start next, kept in memory: which jobs hold slots, and the first jobs of each queue's line.
///
/// Every row passes by here on its way to the index, so that a choice needs no question to the index while it has
/// been answered before. What is kept does not grow with the queues: of a long line only the head is known.
final class Lineup {
    /// How many jobs are asked for when the known head of a line is used up; rows hold whole tasks, so few.
    private static let headLength = 16
    private static let longestHead = 2 * headLength

    private struct Line {
        /// In the order in which they start.
        var head: [JobRow] = []
        /// There are no others behind the head.
        var isWhole: Bool
    }

    private var lines: [String: Line] = [:]
    private var holders: [JobID: String] = [:]
    private var running: [String: Int] = [:]
    private var isKnown = false

    /// The index is asked anew: it was changed past this object.
    func forgetAll() {
        isKnown = false
        (lines, holders, running) = ([:], [:], [:])
    }

    /// Takes in what has become of a job.
    func note(_ row: JobRow) {
        guard isKnown else { return }
        let hadSlot = forgetHolder(row.id)
        if row.state == .running {
            holders[row.id] = row.queue
            running[row.queue, default: 0] += 1
        }
        if !hadSlot { lines[row.queue]?.head.remove(row.id) }
        if row.state == .queued, row.runs { insert(row) }
    }

    func forget(_ id: JobID) {
        if forgetHolder(id) { return }
        for queue in lines.keys { lines[queue]!.head.remove(id) }
    }

    /// The queues that may have a job to start and have not used up `slots`, in order.
    func open(slots: (String) -> Int, _ store: @autoclosure () -> any JobStore) throws -> [String] {
        if !isKnown { try learn(from: store()) }
        return lines.compactMap { queue, line in
            (!line.head.isEmpty || !line.isWhole) && hasRoom(queue, slots(queue)) ? queue : nil
        }.sorted()
    }

    func hasRoom(_ queue: String, _ slots: Int) -> Bool { running[queue, default: 0] < slots }

    /// The job that is to start next in `queue`. It stays the next until something else is noted of it.
    func next(in queue: String, _ store: @autoclosure () -> any JobStore) throws -> JobRow? {
        guard var line = lines[queue] else { return nil }
        if line.head.isEmpty, !line.isWhole {
            line.head = try store().queued(in: queue, limit: Self.headLength)
            line.isWhole = line.head.count < Self.headLength
            // To ask may be to find out that the index can't be trusted.
            guard isKnown else { return nil }
            lines[queue] = line
        }
        return line.head.first
    }

    private func learn(from store: any JobStore) throws {
        for row in try store.list(JobFilter(states: [.running])) {
            holders[row.id] = row.queue
            running[row.queue, default: 0] += 1
        }
        for count in try store.counts() where count.state == .queued && count.count > 0 {
            lines[count.queue] = Line(isWhole: false)
        }
        isKnown = true
    }

    private func insert(_ row: JobRow) {
        var line = lines[row.queue] ?? Line(isWhole: true)
        let index = line.head.firstIndex { Self.precedes(row, $0) } ?? line.head.count
        // Behind a head that is not the whole line others may come first.
        guard index < line.head.count || line.isWhole else { return }
        line.head.insert(row, at: index)
        if line.head.count > Self.longestHead {
            line.head.removeLast(line.head.count - Self.headLength)
            line.isWhole = false
        }
        lines[row.queue] = line
    }

    private static func precedes(_ left: JobRow, _ right: JobRow) -> Bool {
        (right.priority, left.sequence) < (left.priority, right.sequence)
    }

    private func forgetHolder(_ id: JobID) -> Bool {
        guard let queue = holders.removeValue(forKey: id) else { return false }
        running[queue]! -= 1
        return true
    }
}

extension [JobRow] {
    fileprivate mutating func remove(_ id: JobID) {
        if let index = firstIndex(where: { $0.id == id }) { remove(at: index) }
    }
}
