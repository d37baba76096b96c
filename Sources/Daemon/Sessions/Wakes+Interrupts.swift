import JobIndex
import SpoolFormat

// A wake that may end a turn that waits for input.
extension Wakes {
    /// What is to be done about a session that is in a turn.
    enum Step {
        case nothing
        /// Interrupt it; again, where that is being done. The deadline is for all that follows.
        case interrupt(until: Timestamp)
        /// It did not work in time: the wake waits for the end of the turn.
        case fallBack
    }

    /// Only a session that says that it waits is interrupted, and only once for a turn.
    func step(_ session: Session, now: Timestamp = .now) throws -> Step {
        guard let turn = session.turn, let row = try next(session), row.state == .queued || row.reason == .key else { return .nothing }
        let job = try ledger.spool.job(row.id, in: row.state)
        let record = try record(row.id, job)
        guard record.mode == .interruptIfWaiting else { return .nothing }
        if record.interrupted == turn.text {
            guard let deadline = record.deadline, !record.isInterruptOver else { return .nothing }
            guard deadline <= now else { return .interrupt(until: deadline) }
            try update(row.id, job) {
                $0.attempts.append(WakeRecord.Try(.interrupt, "timed_out", "the turn did not end within \(timing.deadline)"))
                $0.isInterruptOver = true
            }
            ledger.events.append("wake_fell_back", job: row.id, ["session": .string(session.name)])
            return .fallBack
        }
        // The turn that was interrupted for it is over, and one that was before it in the line has come.
        if record.isInterrupting { try update(row.id, job) { $0.isInterruptOver = true } }
        guard session.state == .waiting else { return .nothing }
        let deadline = now + timing.deadline
        try update(row.id, job) {
            $0.attempts.append(WakeRecord.Try(.interrupt, "requested"))
            $0.interrupted = turn.text
            $0.deadline = deadline
            $0.isInterruptOver = false
        }
        return .interrupt(until: deadline)
    }

    /// The interrupt could not be handed over; a fault that may pass leaves the wake in its queue.
    func interruptFailed(_ session: Session, _ error: ErrorRecord) throws {
        guard let row = try next(session) else { return }
        let job = try ledger.spool.job(row.id, in: row.state)
        try update(row.id, job) {
            $0.attempts.append(WakeRecord.Try(.interrupt, "failed", error.message))
            $0.isInterruptOver = true
        }
    }
}
