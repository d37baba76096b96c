import JobIndex
import SpoolFormat

/// Whether a job that has not started may start, and if not, why.
enum Readiness {
    case ready
    case waits(StateRecord)
    /// It never will.
    case ends(Outcome, ErrorRecord?)

    /// Judges a job anew from what is known now. `past` is what its `state.json` says.
    static func judge(_ task: TaskRecord, past: StateRecord, store: any JobStore, now: Timestamp) throws -> Readiness {
        var state = StateRecord(
            attempts: past.attempts, lost: past.lost, failures: past.failures, isRetried: past.isRetried,
            againBy: past.againBy, isHeld: past.isHeld, heldBy: past.heldBy)
        func waits(_ reason: StateRecord.Reason, until: Timestamp? = nil, for names: [String] = []) -> Readiness {
            state.reason = reason
            state.until = until
            state.waitsFor = names
            return .waits(state)
        }
        let isFirst = past.attempts == 0 && !past.isRetried
        if let expiry = task.options.expiresAt, expiry <= now, isFirst {
            return .ends(.expired, ErrorRecord("expired", "it was not started before \(expiry)"))
        }
        if past.isHeld {
            // What it waits for besides is known to who looks, and whether it has come counts when it is released.
            var free = past
            free.isHeld = false
            if free.reason == .hold { free.reason = nil }
            guard case .waits(var other) = try judge(task, past: free, store: store, now: now) else { return waits(.hold) }
            other.isHeld = true
            return .waits(other)
        }

        var open: [String] = []
        for name in isFirst ? task.dependencies : [] {
            switch try dependency(name, of: task, store: store) {
            case .done: continue
            case .open: open.append(name)
            case .missing:
                open.append(name)
                state.missing.append(name)
            case .failed(let id, let outcome):
                if task.options.afterFailed == .run { continue }
                return .ends(.failed, ErrorRecord("dependency_failed", "\(id), which had to be done first, ended as \(outcome.rawValue)"))
            }
        }
        if !state.missing.isEmpty {
            state.since = past.since ?? now
            let deadline = state.since! + Defaults.missingDependency
            if deadline <= now {
                let names = state.missing.joined(separator: ", ")
                return .ends(.failed, ErrorRecord("dependency_missing", "no job with the id or key \(names) came within \(Defaults.missingDependency)"))
            }
            return waits(.after, until: deadline, for: open)
        }
        if !open.isEmpty { return waits(.after, for: open) }

        if let key = task.options.key {
            var holder = try store.holder(ofKey: key, before: task.sequence)
            // Who comes back finds the key with a younger one.
            if holder == nil, past.isRetried {
                holder = try store.unfinished(key: key).first { $0.id != task.id && ($0.state == .running || $0.state == .queued) }
            }
            if let holder { return waits(.key, for: [holder.id.text]) }
        }
        if let start = task.options.notBefore, start > now, isFirst { return waits(.delay, until: start) }
        if past.reason == .backoff, let until = past.until, until > now { return waits(.backoff, until: until) }
        return .ready
    }

    private enum DependencyState {
        case done, open, missing
        case failed(JobID, Outcome)
    }

    /// An id names one job; a key names all that have it, of which the last to be accepted tells how it went.
    private static func dependency(_ name: String, of task: TaskRecord, store: any JobStore) throws -> DependencyState {
        var row = try JobID(name).flatMap(store.job)
        if row == nil {
            if try store.unfinished(key: name).contains(where: { $0.id != task.id }) { return .open }
            row = try store.latest(key: name)
        }
        guard let row else {
            guard let past = try store.forgotten(name), past.id != task.id else { return .missing }
            return past.outcome == .succeeded ? .done : .failed(past.id, past.outcome)
        }
        return switch row.state {
        case .done: .done
        case .failed: .failed(row.id, row.outcome ?? .failed)
        case .waiting, .queued, .running: .open
        }
    }
}
