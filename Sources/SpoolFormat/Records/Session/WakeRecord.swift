/// `wake.json` in a wake's job: the ways it was tried. The daemon alone writes it.
public struct WakeRecord: Sendable, Equatable {
    public enum Path: String, Sendable, CaseIterable {
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
        public var at: Timestamp

        public init(_ path: Path, _ result: String, _ reason: String? = nil, at: Timestamp = .now) {
            self.path = path
            self.result = result
            self.reason = reason
            self.at = at
        }

        public var json: JSON {
            var object: JSONObject = ["path": .string(path.rawValue), "result": .string(result)]
            object["reason"] = .optional(reason)
            object["at"] = .string(at.description)
            return .object(object)
        }

        init?(_ value: JSON) {
            guard let path = value["path"]?.string.flatMap(Path.init), let result = value["result"]?.string,
                let at = value["at"]?.string.flatMap(Timestamp.init)
            else { return nil }
            self.init(path, result, value["reason"]?.string, at: at)
        }
    }

    public var mode: WakeMode
    public var attempts: [Try] = []
    /// When the interrupt that was asked for must have worked; past it, the wake waits for the end of the turn.
    public var deadline: Timestamp?
    /// The interrupt has not worked, or its turn has ended.
    public var isInterruptOver = false

    public init(mode: WakeMode) { self.mode = mode }

    public var json: JSON {
        var object: JSONObject = ["mode": .string(mode.rawValue), "attempts": .array(attempts.map(\.json))]
        object["deadline"] = .optional(deadline?.description)
        object["interrupt_over"] = isInterruptOver ? true : nil
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let mode = value["mode"]?.string.flatMap(WakeMode.init) else { return nil }
        self.init(mode: mode)
        attempts = (value["attempts"]?.array ?? []).compactMap(Try.init)
        deadline = value["deadline"]?.string.flatMap(Timestamp.init)
        isInterruptOver = value["interrupt_over"]?.bool ?? false
    }
}
