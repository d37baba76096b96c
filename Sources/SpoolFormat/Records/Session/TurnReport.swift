/// `sessions/<name>/turn.json`: what a turn that is under way says of itself. Its driver writes it, and the daemon
/// shows it as the session's state. `report.json`, which an agent's own hooks write, has the same form.
public struct TurnReport: Sendable, Equatable {
    public enum State: String, Sendable, CaseIterable {
        /// The agent is being started, or is not ready yet.
        case starting
        case working
        /// It has said that it waits for input.
        case waiting
        /// The turn is over (in a `report.json`: the agent says that it has nothing more to do).
        case idle
        /// The state stays, and there is something new to say.
        case progress
    }

    public var state: State
    /// The turn's job.
    public var job: String?
    public var message: String?
    public var at: Timestamp
    /// The driver's process: SIGUSR1 has it look for `interrupt.json` and `answer.json` in its job's directory, and at
    /// the session's `report.json`.
    public var process: ProcessIdentity?

    public init(_ state: State, job: String?, message: String? = nil, at: Timestamp = .now, process: ProcessIdentity? = nil) {
        self.state = state
        self.job = job
        self.message = message
        self.at = at
        self.process = process
    }

    public var json: JSON {
        var object: JSONObject = ["state": .string(state.rawValue)]
        object["job"] = .optional(job)
        object["message"] = .optional(message)
        object["at"] = .string(at.description)
        object["process"] = process?.json
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let state = value["state"]?.string.flatMap(State.init), let at = value["at"]?.string.flatMap(Timestamp.init) else { return nil }
        self.init(
            state, job: value["job"]?.string, message: value["message"]?.string, at: at,
            process: value["process"].flatMap(ProcessIdentity.init))
    }
}
