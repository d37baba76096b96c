/// What a session does.
public enum SessionState: String, Sendable, CaseIterable {
    /// Defined, no process; the next turn starts or resumes it.
    case cold
    /// A process was asked for.
    case starting
    /// Ready for a turn.
    case idle
    /// In a turn.
    case working
    /// In a turn, and has said that it waits for input: `waiting.json`.
    case waiting
    /// Told to stop, not yet gone.
    case stopping
    /// Accepts prompts and starts none.
    case paused
    /// Refuses prompts, and says why.
    case locked
    /// Restarted too often; a person must look.
    case broken
}
