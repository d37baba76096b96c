/// When the polled directories are due. It runs only while there are any: otherwise the watch thread sleeps without end.
struct PollTimer {
    let interval: Duration
    private var due: ContinuousClock.Instant?

    init(interval: Duration) { self.interval = max(interval, .milliseconds(1)) }

    /// Starts or stops the timer; one that runs goes on as it was.
    mutating func run(_ wanted: Bool) {
        if !wanted {
            due = nil
        } else if due == nil {
            due = .now + interval
        }
    }

    /// How long `poll` may wait, in milliseconds, rounded up; -1 is without end.
    var timeout: Int32 {
        guard let due else { return -1 }
        let left = ContinuousClock.now.duration(to: due)
        guard left > .zero else { return 0 }
        return Int32(clamping: Int64((left / .milliseconds(1)).rounded(.up)))
    }

    /// Whether the directories are due now; if so, the next time is set.
    mutating func fire() -> Bool {
        guard let due, due <= .now else { return false }
        self.due = .now + interval
        return true
    }
}
