/// `wake.json` in a wake's job: the ways it was tried. The daemon alone writes it.
public struct WakeRecord: Sendable, Equatable {
    public enum Path: String, Sendable, CaseIterable {
        /// The round that looks whether the session takes a prompt.
        case heartbeat
        /// A prompt, as soon as the session takes one.
        case direct
        /// The turn that waits for input is ended first.
        case interrupt
    }

    public struct Try: Sendable, Equatable {
        public var path: Path
        /// `skipped`, `requested`, `sent`, `timed_out`, `failed`
        public var result: String
        /// `prompt_active`: the session was in a turn. `prompt_race`: another prompt took its place in the same instant.
        public var reason: String?
        /// The attempt of the wake's turn that was to say it, of a try that was `sent` or has `failed` at that.
        public var attempt: Int?
        public var at: Timestamp

        public init(_ path: Path, _ result: String, _ reason: String? = nil, attempt: Int? = nil, at: Timestamp = .now) {
            self.path = path
            self.result = result
            self.reason = reason
            self.attempt = attempt
            self.at = at
        }

        public var json: JSON {
            var object: JSONObject = ["path": .string(path.rawValue), "result": .string(result)]
            object["reason"] = .optional(reason)
            object["attempt"] = attempt.map { .number($0) }
            object["at"] = .string(at.description)
            return .object(object)
        }

        init?(_ value: JSON) {
            guard let path = value["path"]?.string.flatMap(Path.init), let result = value["result"]?.string,
                let at = value["at"]?.string.flatMap(Timestamp.init)
            else { return nil }
            self.init(path, result, value["reason"]?.string, attempt: value["attempt"]?.int, at: at)
        }
    }

    public var mode: WakeMode
    public var attempts: [Try] = []
    /// The turn that was to end for it last.
    public var interrupted: String?
    /// When that must have worked; past it, the wake waits for the end of the turn.
    public var deadline: Timestamp?
    /// The interrupt has not worked, or another turn has begun since.
    public var isInterruptOver = false
    /// What comes next comes by way of the interrupt.
    public var isInterrupting: Bool { interrupted != nil && !isInterruptOver }

    public init(mode: WakeMode) { self.mode = mode }

    public var json: JSON {
        var object: JSONObject = ["mode": .string(mode.rawValue), "attempts": .array(attempts.map(\.json))]
        object["interrupted"] = .optional(interrupted)
        object["deadline"] = .optional(deadline?.description)
        object["interrupt_over"] = isInterruptOver ? true : nil
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let mode = value["mode"]?.string.flatMap(WakeMode.init) else { return nil }
        self.init(mode: mode)
        attempts = (value["attempts"]?.array ?? []).compactMap(Try.init)
        interrupted = value["interrupted"]?.string
        deadline = value["deadline"]?.string.flatMap(Timestamp.init)
        isInterruptOver = value["interrupt_over"]?.bool ?? false
    }
}
