import SpoolFormat

/// The job of the process that keeps a session's agent, as a turn sees it. At its end it tells, in `reply.json`, how the
/// agent has ended, and with which words.
struct KeeperJob {
    private let id: JobID
    private let spool: Directory

    init(_ id: JobID, in spool: Directory) {
        self.id = id
        self.spool = spool
    }

    /// How the agent has ended, or why there is none; `nil` as long as it may be there, or may come.
    var ending: ErrorRecord? {
        for state in [JobState.running, .failed, .done] {
            guard let job = try? spool.directory(state.rawValue).directory(id.text) else { continue }
            if let reply = ((try? job.readJSON(SpoolLayout.Job.reply)) ?? nil).flatMap(ReplyRecord.init) { return reply.error }
            // Killed, it has told nothing.
            guard job.contains(SpoolLayout.Job.exit) || state != .running else { return nil }
            return ErrorRecord("agent_died", "the process that keeps the agent was ended", retryable: true)
        }
        return nil
    }

    /// The same for an agent that is known to have ended: what keeps it has a moment to say so.
    func awaitEnding(_ turn: Turn) -> ErrorRecord? {
        let deadline = Monotonic.now + 2000
        while true {
            if let ending { return ending }
            guard Monotonic.now < deadline, !turn.isTerminated else { return nil }
            turn.wait(reading: [], until: min(deadline, Monotonic.now + 20))
        }
    }

    /// Says how the agent has ended.
    static func note(_ error: ErrorRecord, in job: Directory) {
        try? job.replace(SpoolLayout.Job.reply, with: JSONWriter.write(ReplyRecord(text: "", stopReason: "exited", error: error).json))
    }

    /// The last words of an agent that stays: its complaints, or what stood in its terminal, are its job's log.
    static func lastWords(in job: Directory) -> String {
        let bytes = (try? job.readEnd(of: SpoolLayout.Job.log, limit: 8 << 10)) ?? []
        let lines = TerminalText.plain(bytes).split(separator: "\n").filter { $0.contains { !$0.isWhitespace } }
        return lines.suffix(5).map { $0.prefix(1000) }.joined(separator: "\n")
    }

    /// What is said of an end, with the last words behind it.
    static func died(_ ending: String, in job: Directory) -> ErrorRecord {
        let words = lastWords(in: job)
        return ErrorRecord("agent_died", words.isEmpty ? ending : "\(ending): \(words)", retryable: true)
    }
}
