import Glibc
import SpoolFormat

/// Ends processes step by step: each signal at its time, if they are still there.
struct Ladder {
    private var steps: [(at: Int64, signal: Int32)]

    /// - Parameter steps: signals, and how many milliseconds from now each is sent; in order.
    init(_ steps: [(after: Int64, signal: Int32)]) {
        let now = Monotonic.now
        self.steps = steps.map { (now + $0.after, $0.signal) }
    }

    /// An agent is interrupted as a person would, and must be gone when its time is up.
    static func interrupt(within time: TimeSpan) -> Ladder {
        Ladder([(0, SIGINT), (time.milliseconds / 2, SIGTERM), (time.milliseconds, SIGKILL)])
    }

    /// By `Monotonic`, when there is something to do next.
    var next: Int64? { steps.first?.at }

    /// Sends what is due. SIGKILL is sent again and again, as long as this is called.
    mutating func climb(_ send: (Int32) -> Void) {
        while let step = steps.first, step.at <= Monotonic.now {
            send(step.signal)
            if step.signal == SIGKILL {
                steps = [(Monotonic.now + 100, SIGKILL)]
                return
            }
            steps.removeFirst()
        }
    }
}
