/// `config/agents/<name>.json`: how an agent is run and how what it says is read. What differs between agents stands
/// here and not in code.
public struct AgentConfiguration: Sendable, Equatable {
    public enum Driver: String, Sendable, CaseIterable {
        /// A process a turn.
        case command
        /// The Agent Client Protocol, with a process that stays.
        case acp
        /// An interactive program in a terminal.
        case tmux
    }

    /// How a `command` agent is given its prompt.
    public enum PromptBy: String, Sendable, CaseIterable {
        /// On its standard input.
        case stdin
        /// In a file, whose path is `{prompt_file}`.
        case file
        /// In its arguments, as `{prompt}`.
        case argument
    }

    /// What is answered to an agent that asks for permission.
    public enum Permission: String, Sendable, CaseIterable {
        /// A person or a program answers, by `answer`.
        case ask
        case allowOnce = "allow_once"
        case allowAlways = "allow_always"
        case rejectOnce = "reject_once"
        case rejectAlways = "reject_always"
    }

    /// When a terminal's agent can be typed to.
    public struct Readiness: Sendable, Equatable {
        /// A regular expression that the screen matches when the agent waits for a prompt; every `tmux` agent has one.
        public var pattern: String?
        /// How long the agent may take to be ready.
        public var timeout: TimeSpan = .seconds(30)
        /// How long the screen stays the same before it counts: an agent that is at work changes it sooner.
        public var quiet: TimeSpan = .seconds(1)
        /// Dialogs at the start: the screen matches `pattern`, and `keys` are sent (names as tmux has them).
        public var dialogs: [Dialog] = []

        public struct Dialog: Sendable, Equatable {
            public var pattern: String
            public var keys: [String]

            public init(pattern: String, keys: [String]) {
                self.pattern = pattern
                self.keys = keys
            }
        }

        public init() {}
    }

    public var driver: Driver
    /// The program and its arguments. These words in braces are replaced within an argument, never by a shell:
    /// `{prompt}`, `{prompt_file}`, `{session}` (the agent's own session id), `{new_session}` (a new UUID, kept as the
    /// session id), `{model}`, `{name}` (of our session), `{cwd}`.
    public var command: [String]
    /// Instead of `command`, where the agent's session id is known.
    public var resume: [String]?
    public var promptBy: PromptBy = .stdin
    public var environment: [String: EnvironmentValue] = [:]
    public var model: String?
    public var output = OutputRules()
    public var ready = Readiness()
    public var permission: Permission = .ask
    /// By the kind of the tool call (`read`, `edit`, `execute` …), before `permission`.
    public var permissionsByKind: [String: Permission] = [:]
    /// How long the agent may take to obey an interrupt.
    public var cancelTimeout: TimeSpan = Defaults.wakeDeadline
    public var timeout: TimeSpan?
    public var grace: TimeSpan?
    public var lostSession: LostSession = .anew
    /// Exit codes that say that trying again may help.
    public var retryableExitCodes: [Int] = []
    /// Keys that interrupt a terminal's agent.
    public var interruptKeys: [String] = ["Escape"]
    /// Keys that empty its input line: some put the interrupted prompt back there.
    public var clearKeys: [String] = ["C-u"]
    /// Regular expressions that the screen of a terminal's agent matches when it asks something in the middle of a turn.
    public var waitingPatterns: [String] = []

    public init(driver: Driver, command: [String]) {
        self.driver = driver
        self.command = command
    }

    static let modelExpected = "a model's name: letters, digits and . _ : / @ -, at most 128"

    /// A model's name is checked by its form, and not by a list that rots.
    static func checkModel(_ text: String) -> String? {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "._:/@-".utf8.contains(byte)
            }
        }
        return isName && (1...128).contains(text.utf8.count) && !text.hasPrefix("-") ? text : nil
    }

    static let placeholders = ["prompt", "prompt_file", "session", "new_session", "model", "name", "cwd"]
}
