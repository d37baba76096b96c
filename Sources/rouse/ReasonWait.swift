import SpoolFormat

/// How long the reasons of rejections are waited for. A reason follows its file at once, unless the daemon ends in
/// between or can't write it; then none may ever come, and nothing tells that none does.
struct ReasonWait {
    private let patience: Duration
    private var ends: [JobID: ContinuousClock.Instant] = [:]

    init(patience: TimeSpan = Receipts.patience) { self.patience = .milliseconds(patience.milliseconds) }

    /// Whether the reason of this rejection has been waited for long enough. The wait begins with the first question.
    mutating func isOver(for id: JobID) -> Bool {
        guard let end = ends[id] else {
            ends[id] = .now + patience
            return false
        }
        return end <= .now
    }

    /// When to look again at the latest.
    func next(before deadline: ContinuousClock.Instant?) -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        guard let end = ends.values.filter({ $0 > now }).min() else { return deadline }
        return deadline.map { min($0, end) } ?? end
    }
}
