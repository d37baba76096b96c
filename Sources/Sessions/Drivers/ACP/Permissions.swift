import SpoolFormat

/// `session/request_permission`: answered by the policy of the agent's configuration, or by whoever answers the session.
/// An option is chosen by its kind, never by its id or its place: those are the agent's own.
struct Permissions {
    private struct Request {
        let id: JSON
        let record: WaitingRecord
    }

    private let turn: Turn
    /// The first is the one that is asked; agents may well ask several at once.
    private var asked: [Request] = []
    private(set) var warnings: [String] = []

    init(_ turn: Turn) { self.turn = turn }

    /// Requests to decide at once, or to ask.
    /// - Parameter tool: what the agent has said of the tool call before.
    /// - Returns: the answer; `nil` where somebody is asked.
    mutating func request(id: JSON, _ params: JSON, tool: ToolCalls.Call?) -> JSON? {
        let call = params["toolCall"]
        let options = (params["options"]?.array ?? []).compactMap { option -> WaitingRecord.Option? in
            guard let id = option["optionId"]?.string else { return nil }
            return WaitingRecord.Option(id: id, name: option["name"]?.string ?? id, kind: option["kind"]?.string)
        }
        let kind = call?["kind"]?.string ?? tool?.kind
        let title = call?["title"]?.string ?? tool?.title ?? "the agent asks for permission"
        let policy = kind.flatMap { turn.agent.permissionsByKind[$0] } ?? turn.agent.permission
        if let option = Self.choose(policy, options) { return decide(option, title, by: "policy") }
        guard policy == .ask, turn.session != nil, !options.isEmpty else {
            let why = policy == .ask ? "nobody could be asked for permission" : "no option fits the policy \(policy.rawValue)"
            warnings.append("\(why): \(title)")
            try? turn.events.append("permission_refused", ["message": .string(title), "why": .string(why)])
            return Self.choose(.rejectOnce, options).map { decide($0, title, by: "default") } ?? Self.cancelled
        }
        asked.append(Request(id: id, record: WaitingRecord(.permission, job: turn.record.id.text, message: title, options: options, tool: call)))
        if asked.count == 1 { turn.wait(for: asked[0].record) }
        return nil
    }

    /// Takes the answer that somebody has given.
    /// - Returns: the request's id, and what the agent is told.
    mutating func answer(_ text: String) -> (id: JSON, outcome: JSON)? {
        guard let request = asked.first else { return nil }
        guard let option = request.record.option(for: text) else {
            try? turn.events.append("answer_unknown", [
                "answer": .string(text), "message": .string("it is none of: " + request.record.options.map(\.id).joined(separator: ", ")),
            ])
            return nil
        }
        asked.removeFirst()
        if let next = asked.first { turn.wait(for: next.record) } else { turn.endWait() }
        return (request.id, decide(option, request.record.message, by: "answer"))
    }

    /// The turn is being ended: who asks is told so, or the agent would wait for an answer for ever.
    mutating func cancelAll() -> [(id: JSON, outcome: JSON)] {
        guard !asked.isEmpty else { return [] }
        defer {
            asked = []
            turn.endWait()
        }
        return asked.map { ($0.id, Self.cancelled) }
    }

    static let cancelled: JSON = ["outcome": ["outcome": "cancelled"]]

    private func decide(_ option: WaitingRecord.Option, _ title: String, by: String) -> JSON {
        try? turn.events.append("permission", ["message": .string(title), "answer": .string(option.id), "by": .string(by)])
        return ["outcome": ["outcome": "selected", "optionId": .string(option.id)]]
    }

    /// Where the very kind is not offered, one that grants less; never one that grants more.
    private static func choose(_ policy: AgentConfiguration.Permission, _ options: [WaitingRecord.Option]) -> WaitingRecord.Option? {
        let kinds: [String] =
            switch policy {
            case .ask: []
            case .allowOnce: ["allow_once"]
            case .allowAlways: ["allow_always", "allow_once"]
            case .rejectOnce: ["reject_once", "reject_always"]
            case .rejectAlways: ["reject_always", "reject_once"]
            }
        return kinds.lazy.compactMap { kind in options.first { $0.kind == kind } }.first
    }
}
