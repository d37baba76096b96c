import SpoolFormat

/// What keeps a session from starting the turn that was just dropped for it, for a person who waits for it to begin.
enum SessionRemark {
    /// Says so of each that takes turns and starts none, by what the daemon knows of it.
    /// - Parameter what: `prompt` or `wake`.
    static func make(on sessions: [String], in path: String, for what: String, isAccepted: Bool) {
        // Who may only drop can't look, and is told what came of it alone.
        guard let spool = try? SpoolDirectory(path) else { return }
        for name in sessions {
            guard let record = (try? SessionFiles(name, in: spool))?.record, let text = text(name, record, what, isAccepted) else { continue }
            Terminal.complain(text)
        }
    }

    private static func text(_ name: String, _ record: SessionRecord, _ what: String, _ isAccepted: Bool) -> String? {
        // In the order in which the daemon asks.
        if let lock = record.locked {
            let state = "the session \(name) is locked by \(lock.by)" + (lock.reason.map { ": \($0)" } ?? "")
            // A prompt is refused when it is taken in; what was queued before the lock came waits, and so do wakes.
            if what == "prompt", !isAccepted { return "\(state); the prompt will be refused unless it is unlocked by then: rouse session unlock \(name)" }
            return "\(state); the \(what) waits until: rouse session unlock \(name)"
        }
        if let paused = record.pausedBy { return "the session \(name) is paused by \(paused); the \(what) waits until: rouse session resume \(name)" }
        if record.isBroken {
            return "the session \(name) is broken, as its process died too often; the \(what) waits until: rouse session reset \(name) (why: rouse session show \(name))"
        }
        return nil
    }
}
