/// How the output of a `command` agent is read.
public struct OutputRules: Sendable, Equatable {
    public enum Format: String, Sendable, CaseIterable {
        /// All of it is the answer.
        case text
        /// One JSON value; what stands before it is noise.
        case json
        /// A JSON object a line; other lines are noise.
        case jsonLines = "json_lines"
    }

    /// Where something stands: in a value whose members at these paths are these, the member at `take`.
    public struct Rule: Sendable, Equatable {
        public var conditions: [(path: String, value: JSON)] = []
        /// Names and positions, with dots between them: `item.text`, `0.content`. `nil` only tells that the value is it.
        public var take: String?

        public init(_ take: String?, where conditions: [(path: String, value: JSON)] = []) {
            self.take = take
            self.conditions = conditions
        }

        public static func == (left: Rule, right: Rule) -> Bool {
            left.take == right.take && left.conditions.elementsEqual(right.conditions) { $0.path == $1.path && $0.value == $1.value }
        }

        /// What the rule finds in `value`.
        public func find(in value: JSON) -> JSON? {
            for condition in conditions where value.member(atPath: condition.path) != condition.value { return nil }
            guard let take else { return value }
            return value.member(atPath: take)
        }
    }

    public var format: Format = .text
    /// The agent's own session id.
    public var session: [Rule] = []
    /// The answer. Of several the last counts.
    public var text: [Rule] = []
    /// An object with `input_tokens`, `output_tokens`, `cache_creation_input_tokens` and `cache_read_input_tokens`, or some of them.
    public var usage: [Rule] = []
    public var cost: [Rule] = []
    public var model: [Rule] = []
    /// Says that the turn failed, and why.
    public var error: [Rule] = []
    /// The HTTP status of the model's answer, where the turn failed at it: 429, 529 …
    public var status: [Rule] = []
    /// Says that the turn is over, though the process may go on.
    public var end: [Rule] = []
    /// A turn without such a value has failed, whatever the exit code says.
    public var success: [Rule] = []
    /// Usage and cost count the whole conversation, not this turn.
    public var usageIsCumulative = false
    public var costIsCumulative = false
    /// Where a session id stands, and what tells that a session is lost, in stderr or in lines that are no JSON and no part
    /// of the answer; the latter also in the error: regular expressions, and of one with a group, the group.
    public var sessionPattern: String?
    public var lostSessionPattern: String?

    public init() {}
}

extension JSON {
    /// The member at a path of names and positions with dots between them.
    public func member(atPath path: String) -> JSON? {
        var value = self
        for step in path.split(separator: ".") {
            let next: JSON? =
                if let elements = value.array {
                    Int(step).flatMap { elements.indices.contains($0) ? elements[$0] : $0 == -1 ? elements.last : nil }
                } else { value[String(step)] }
            guard let next else { return nil }
            value = next
        }
        return value
    }
}
