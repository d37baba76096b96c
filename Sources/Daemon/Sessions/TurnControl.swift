import CLinux
import Glibc
import JobIndex
import SpoolFormat

/// Tells a turn that is under way something: by a file in its job's directory, then by a signal to look at it.
struct TurnControl {
    let ledger: Ledger

    /// Has the turn end; the agent stays. Asked for twice, it is asked for once.
    func interrupt(_ session: Session, because reason: String, by id: String) throws(SystemFault) {
        guard let turn = session.turn else { return }
        let job = try ledger.spool.job(turn, in: .running)
        if !job.contains(SpoolLayout.Job.interrupt) {
            let json: JSON = ["by": .string(id), "reason": .string(reason), "at": .string(Timestamp.now.description)]
            try job.replace(SpoolLayout.Job.interrupt, with: JSONWriter.write(json))
            ledger.events.append("interrupting", job: turn, ["session": .string(session.name), "by": .string(id), "why": .string(reason)])
        }
        signal(session)
    }

    /// Whether it was told to end.
    func isInterrupted(_ session: Session) -> Bool {
        guard let turn = session.turn, let job = try? ledger.spool.job(turn, in: .running) else { return false }
        return job.contains(SpoolLayout.Job.interrupt)
    }

    /// - Parameter request: which of the turn's requests it answers, where the turn has numbered it.
    func answer(_ session: Session, _ text: String, to request: Int?, by id: String) throws(SystemFault) {
        guard let turn = session.turn else { return }
        let job = try ledger.spool.job(turn, in: .running)
        var json: JSONObject = ["answer": .string(text), "by": .string(id)]
        json["request"] = .optional(request)
        try job.replace(SpoolLayout.Job.answer, with: JSONWriter.write(.object(json)))
        ledger.events.append("answered", job: turn, ["session": .string(session.name), "by": .string(id)])
        signal(session)
    }

    /// A turn that has not said yet who it is looks by itself when it begins, and is told again when it says so.
    func signal(_ session: Session) {
        guard let descriptor = session.report?.process?.openDescriptor() else { return }
        defer { close(descriptor) }
        _ = rouse_pidfd_send_signal(descriptor, SIGUSR1)
    }

    /// Signals a turn for which something may lie there that came before it could hear.
    func signalIfTold(_ session: Session) {
        guard let turn = session.turn, let job = try? ledger.spool.job(turn, in: .running) else { return }
        if job.contains(SpoolLayout.Job.interrupt) || job.contains(SpoolLayout.Job.answer) { signal(session) }
    }
}
