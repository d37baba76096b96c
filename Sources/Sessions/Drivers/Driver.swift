import SpoolFormat

/// How one kind of agent is talked to, for one turn.
///
/// A driver lives in a process of its own (`rouse-agent turn`), which is the program of the turn's attempt: it may take
/// as long as it likes, hang or die, and nobody else is held up. It outlives the daemon; what it has to say it writes
/// to files. What it must do:
///
/// - make the agent ready (start, resume or find it), within the time that the configuration gives, and report
///   `.starting` meanwhile
/// - write the event of the prompt before the prompt is sent (`turn.willPrompt`), then report `.working`
/// - report `.waiting` only when the agent has *said* that it waits, with `turn.wait(for:)`; and go on with the answer
/// - on an interrupt (`turn.isInterrupted`) end the agent's turn within `cancelTimeout`, and answer with the stop reason
///   `cancelled`
/// - write what the agent does to the events, to the end of the turn
/// - leave nothing behind but what is meant to stay
protocol Driver {
    init(_ turn: Turn)

    /// Runs the turn to its end. What the agent failed at is in the reply's `error`, with the stop reason `failed`.
    /// - Throws: `TurnFault`, where there could be no turn: the agent could not be started, or is not what was
    ///   configured. The prompt has not been said then, and may safely be said again.
    mutating func run() throws(TurnFault) -> ReplyRecord

    /// The reply is written. What a turn that dies before that must find again can be forgotten now.
    func conclude()
}

extension Driver {
    func conclude() {}
}

/// Why there is no reply: a word for programs, a sentence for people, and whether trying again may help.
struct TurnFault: Error, Sendable {
    let error: ErrorRecord

    init(_ code: String, _ message: String, hint: String? = nil, retryable: Bool = false) {
        error = ErrorRecord(code, hint.map { message + "; " + $0 } ?? message, retryable: retryable)
    }

    init(_ error: ErrorRecord) { self.error = error }

    init(_ fault: SystemFault) { self.init("system", fault.description, retryable: true) }
}
