/// What a task asks for.
public enum Verb: Sendable, Equatable {
    /// Run a program: an argument vector, never a shell's text.
    case run([String])
    /// Several tasks, all accepted or none.
    case tasks([TaskFile])
    /// Act on jobs.
    case control(ControlVerb, Selector)
    /// Say something to an agent.
    case prompt(Prompt)
    /// Have sessions look at what has happened.
    case wake(Wake)
    case note(Note)
    case answer(Answer)
    /// Act on a session.
    case session(SessionCommand)

    public var name: String {
        switch self {
        case .run: "run"
        case .tasks: "tasks"
        case .control(let verb, _): verb.rawValue
        case .prompt: "prompt"
        case .wake: "wake"
        case .note: "note"
        case .answer: "answer"
        case .session(let command): command.verb.rawValue
        }
    }

    /// Whether an attempt is made of it: the others are acted on at once.
    public var runs: Bool {
        switch self {
        case .run, .prompt: true
        case .wake(let wake): wake.sessions.count == 1
        case .tasks, .control, .note, .answer, .session: false
        }
    }

    /// Whether an agent is spoken to.
    public var isTurn: Bool {
        switch self {
        case .prompt: true
        case .wake: runs
        case .run, .tasks, .control, .note, .answer, .session: false
        }
    }

    /// The session that it is a turn of.
    public var turnSession: String? {
        switch self {
        case .prompt(let prompt): prompt.session
        case .wake(let wake): wake.sessions.count == 1 ? wake.sessions[0] : nil
        default: nil
        }
    }

    /// The verbs of this version, in the order that a message lists them.
    public static let names =
        ["run", "prompt", "wake", "note", "answer", "tasks"] + ControlVerb.allCases.map(\.rawValue)
        + SessionVerb.allCases.map(\.rawValue)

    /// Verbs of the language that this version does not have yet.
    static let unsupported = ["pipeline", "replay", "fork", "compact"]
}

/// Verbs that act on jobs at once.
public enum ControlVerb: String, Sendable, CaseIterable {
    case cancel, retry, recover, hold, release
}

/// Which jobs a control verb acts on.
public enum Selector: Sendable, Equatable {
    case job(String)
    case queue(String)
    /// Jobs that carry all of these labels.
    case labels([String: String])
    /// The turns of a session.
    case session(String)
}
