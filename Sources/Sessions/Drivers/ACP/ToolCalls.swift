import SpoolFormat

/// What the agent has said of its tool calls: a request for permission may name one by its id only.
struct ToolCalls {
    struct Call {
        var title: String?
        var kind: String?
    }

    private var calls: [String: Call] = [:]
    private static let most = 1000

    /// There was one since the prompt.
    var areThere: Bool { !calls.isEmpty }

    subscript(id: String?) -> Call? { id.flatMap { calls[$0] } }

    mutating func note(_ update: JSON) {
        guard let id = update["toolCallId"]?.string, calls.count < Self.most || calls[id] != nil else { return }
        var call = calls[id] ?? Call()
        call.title = update["title"]?.string ?? call.title
        call.kind = update["kind"]?.string ?? call.kind
        calls[id] = call
    }
}
