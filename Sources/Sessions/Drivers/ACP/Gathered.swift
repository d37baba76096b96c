import SpoolFormat

/// What the updates of one prompt come to.
struct Gathered {
    private(set) var answer = BoundedText()
    private(set) var tools = ToolCalls()
    /// Of the whole conversation.
    private(set) var costUSD: Double?
    /// The agent has begun to work at the prompt. What it may do, what it costs and how it is set says nothing of that.
    private(set) var hasWorked = false
    private var isBetweenMessages = false

    mutating func take(_ update: JSON) {
        noteWork(update)
        switch update["sessionUpdate"]?.string {
        case "agent_message_chunk":
            guard let text = update["content"].flatMap(Self.text) else { return }
            if isBetweenMessages, !answer.isEmpty { answer.append("\n\n") }
            isBetweenMessages = false
            answer.append(text)
        case "tool_call", "tool_call_update":
            // What is said after a tool call is another paragraph.
            isBetweenMessages = true
            tools.note(update)
        case "usage_update":
            if let cost = update["cost"], cost["currency"]?.string ?? "USD" == "USD" { costUSD = cost["amount"]?.double ?? costUSD }
        default: break
        }
    }

    mutating func noteWork(_ update: JSON) {
        if let kind = update["sessionUpdate"]?.string, Self.work.contains(kind) { hasWorked = true }
    }

    /// It has asked for something to be done, which it does in the middle of its work only.
    mutating func noteRequest() { hasWorked = true }

    private static let work: Set = ["agent_message_chunk", "agent_thought_chunk", "tool_call", "tool_call_update", "plan"]

    /// What is not text is named.
    private static func text(_ content: JSON) -> String? {
        switch content["type"]?.string {
        case "text": content["text"]?.string
        case "resource_link": content["uri"]?.string.map { "[\(content["name"]?.string ?? $0)](\($0))" }
        case "resource": content["resource"]?["text"]?.string ?? content["resource"]?["uri"]?.string
        case let type?: "[\(type)]"
        case nil: nil
        }
    }
}
