/// Verbs that act on a session.
public enum SessionVerb: String, Sendable, CaseIterable {
    /// Defines a session, where it is not defined yet.
    case open
    /// Ends the turn and the process; the next prompt starts it again.
    case stop
    /// Stops it, and starts it again.
    case restart
    /// Ends the turn, and leaves the process.
    case interrupt
    /// Takes prompts, and starts none.
    case pause
    case resume
    /// Refuses prompts, with a reason and a hint.
    case lock
    case unlock
}

/// A verb that acts on a session, with what goes with it.
public struct SessionCommand: Sendable, Equatable {
    public var verb: SessionVerb
    public var session: String
    /// Why, for `lock`, `pause` and `stop`.
    public var reason: String?
    /// What whoever is refused by a lock should do instead.
    public var hint: String?
    /// `restart` forgets the agent's conversation.
    public var isFresh: Bool
    /// What `open` defines.
    public var definition: SessionConfiguration?

    public init(
        _ verb: SessionVerb, _ session: String, reason: String? = nil, hint: String? = nil, isFresh: Bool = false,
        definition: SessionConfiguration? = nil
    ) {
        self.verb = verb
        self.session = session
        self.reason = reason
        self.hint = hint
        self.isFresh = isFresh
        self.definition = definition
    }
}

/// What a wake does with a session that is in a turn.
public enum WakeMode: String, Sendable, CaseIterable {
    /// Waits for the end of the turn.
    case queue
    /// Ends a turn that has said that it waits for input.
    case interruptIfWaiting = "interrupt_if_waiting"
}

/// A synthetic prompt that somebody asks for.
public struct Wake: Sendable, Equatable {
    public var sessions: [String]
    public var reason: String?
    public var mode: WakeMode?
    /// What happened, where Rouse itself wakes; the first of what may become several reasons. In records only.
    public var cause: WakeReason?

    public init(_ sessions: [String], reason: String? = nil, mode: WakeMode? = nil, cause: WakeReason? = nil) {
        self.sessions = sessions
        self.reason = reason
        self.mode = mode
        self.cause = cause
    }

    /// The key of a session's wakes: while one is pending, others join it.
    public static func key(of session: String) -> String { "wake:" + session }
}

/// Context for a session that starts no turn.
public struct Note: Sendable, Equatable {
    public var text: String
    public var session: String

    public init(_ text: String, session: String) {
        self.text = text
        self.session = session
    }
}

/// What a session is told that waits for input.
public struct Answer: Sendable, Equatable {
    /// A text, or the id, kind or name of an option.
    public var text: String
    public var session: String

    public init(_ text: String, session: String) {
        self.text = text
        self.session = session
    }
}
