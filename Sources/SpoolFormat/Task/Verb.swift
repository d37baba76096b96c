/// What a task asks for.
public enum Verb: Sendable, Equatable {
    /// Run a program: an argument vector, never a shell's text.
    case run([String])
    /// Several tasks, all accepted or none.
    case tasks([TaskFile])
    /// Act on jobs.
    case control(ControlVerb, Selector)

    public var name: String {
        switch self {
        case .run: "run"
        case .tasks: "tasks"
        case .control(let verb, _): verb.rawValue
        }
    }

    /// The verbs of this version, in the order that a message lists them.
    public static let names = ["run", "tasks"] + ControlVerb.allCases.map(\.rawValue)

    /// Verbs of the language that need agent sessions, which this version does not have.
    static let unsupported = [
        "prompt", "wake", "note", "answer", "pipeline", "open", "stop", "restart", "interrupt", "pause", "resume",
        "replay", "fork", "compact", "lock", "unlock",
    ]
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
}
