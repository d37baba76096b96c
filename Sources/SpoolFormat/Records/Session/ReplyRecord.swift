/// `reply.json` in a turn's job: what came of the turn, written by its driver at its end.
public struct ReplyRecord: Sendable, Equatable {
    /// The agent's answer, as text.
    public var text: String
    /// Why the turn ended, in the words of the Agent Client Protocol: `end_turn`, `max_tokens`, `max_turn_requests`,
    /// `refusal`, `cancelled`; and in our own `failed` (the prompt was said, and the turn did not succeed) and `error`
    /// (it was not said).
    public var stopReason: String
    /// Why the turn did not succeed.
    public var error: ErrorRecord?
    /// The agent's own id for the conversation.
    public var agentSession: String?
    /// The agent did not know the conversation any more, and began anew.
    public var isAnew = false
    public var usage: Usage?
    /// What `usage` counts is the whole conversation's.
    public var isUsageCumulative = false
    public var isCostCumulative = false
    public var warnings: [String] = []

    public init(text: String, stopReason: String, error: ErrorRecord? = nil) {
        self.text = text
        self.stopReason = stopReason
        self.error = error
    }

    public var json: JSON {
        var object: JSONObject = ["text": .string(text), "stop_reason": .string(stopReason)]
        object["error"] = error?.json
        object["agent_session"] = .optional(agentSession)
        object["anew"] = isAnew ? true : nil
        object["usage"] = usage?.json
        object["usage_is_cumulative"] = isUsageCumulative ? true : nil
        object["cost_is_cumulative"] = isCostCumulative ? true : nil
        object["warnings"] = warnings.isEmpty ? nil : .array(warnings.map(JSON.string))
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let text = value["text"]?.string, let stopReason = value["stop_reason"]?.string else { return nil }
        self.init(text: text, stopReason: stopReason, error: value["error"].flatMap(ErrorRecord.init))
        agentSession = value["agent_session"]?.string
        isAnew = value["anew"]?.bool ?? false
        usage = value["usage"].map(Usage.init)
        isUsageCumulative = value["usage_is_cumulative"]?.bool ?? false
        isCostCumulative = value["cost_is_cumulative"]?.bool ?? false
        warnings = value["warnings"]?.array?.compactMap(\.string) ?? []
    }
}
