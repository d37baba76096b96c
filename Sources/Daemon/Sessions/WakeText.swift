import SpoolFormat

/// What a session is told that is woken.
enum WakeText {
    /// So many reasons are told one by one.
    static let mostTold = 1000

    static func of(_ reasons: [WakeReason], for session: String, task: TaskRecord) -> String {
        let count = reasons.count == 1 ? "one reason" : "\(reasons.count) reasons"
        var lines = ["[Rouse woke the session \"\(session)\" for \(count). No person wrote this.]", ""]
        for reason in reasons.prefix(mostTold) { lines.append("- " + line(reason)) }
        if reasons.count > mostTold { lines.append("- and \(reasons.count - mostTold) more: see reasons.jsonl in $ROUSE_JOB_DIR") }
        lines += [
            "",
            "Nothing is assigned to you by this. To take work up, drop a task file into $ROUSE_INBOX (write it under a name that "
                + "begins with a dot, then rename it to <name>.json); a job's files are in $ROUSE_SPOOL/{waiting,queued,running,done,failed}/<id>/.",
            "", "As JSON:",
            JSONWriter.text(["wake": .string(task.id.text), "coordinator": .string(session), "reasons": .array(reasons.prefix(mostTold).map(\.json))]),
        ]
        return lines.joined(separator: "\n")
    }

    private static func line(_ reason: WakeReason) -> String {
        guard let job = reason.job else { return reason.text ?? "somebody asked for it (\(reason.by ?? "unknown"))" }
        var text = "job \(job)"
        if let queue = reason.queue { text += " of the queue \(queue)" }
        switch reason.event {
        case .queued: text += " is queued"
        case .finished: text += " has succeeded"
        case .failed: text += " has failed"
        case .retried: text += " is to run again: \(reason.by ?? "somebody") retried it"
        case .recovered: text += " is to run again: it was recovered\(reason.by.map { " by \($0)" } ?? "")"
        case .requested: text += " was mentioned"
        }
        if let outcome = reason.outcome, reason.event == .failed { text += " (\(outcome.rawValue)\(reason.exitCode.map { ", exit code \($0)" } ?? ""))" }
        if let error = reason.error { text += ": \(error.message)" }
        if let summary = reason.summary { text += " — \(summary)" }
        return text
    }
}
