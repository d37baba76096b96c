// Reading the `output` of an agent's configuration.
extension OutputRules {
    static func read(_ value: JSON, at place: JSONPath) throws(TaskFault) -> OutputRules {
        var fields = try FieldReader(value, at: place, expected: "an object that says how the agent's output is read")
        var rules = OutputRules()
        rules.format = try fields.choice("format", Format.self) ?? .text
        rules.session = try fields.rules("session")
        rules.text = try fields.rules("text")
        rules.usage = try fields.rules("usage")
        rules.cost = try fields.rules("cost")
        rules.model = try fields.rules("model")
        rules.error = try fields.rules("error")
        rules.status = try fields.rules("status")
        rules.end = try fields.rules("end")
        rules.success = try fields.rules("success")
        let cumulative = try fields.list("cumulative", maximumCount: 2, expected: "\"usage\" or \"cost\"") { value in
            value.string.flatMap { ["usage", "cost"].contains($0) ? $0 : nil }
        } ?? []
        rules.usageIsCumulative = cumulative.contains("usage")
        rules.costIsCumulative = cumulative.contains("cost")
        rules.sessionPattern = try fields.pattern("session_pattern")
        rules.lostSessionPattern = try fields.pattern("lost_session_pattern")
        try fields.finish(synonyms: ["result": "text", "session_id": "session", "done": "end", "failed": "error"])
        let hasRules = [rules.session, rules.text, rules.usage, rules.cost, rules.model, rules.error, rules.status, rules.end, rules.success].contains { !$0.isEmpty }
        if rules.format == .text, hasRules {
            throw TaskFault("bad_value", "plain text has no members to be found", at: place, expected: "\"format\": \"json\" or \"json_lines\"")
        }
        return rules
    }
}

extension FieldReader {
    /// One rule or several; each is a path, or an object with `where` and `take`.
    mutating func rules(_ name: String) throws(TaskFault) -> [OutputRules.Rule] {
        guard let value = take(name) else { return [] }
        let place = path.appending(name)
        guard let elements = value.array else { return [try Self.rule(value, at: place)] }
        var rules: [OutputRules.Rule] = []
        for (index, element) in elements.prefix(100).enumerated() { rules.append(try Self.rule(element, at: place.appending(index))) }
        return rules
    }

    private static func rule(_ value: JSON, at place: JSONPath) throws(TaskFault) -> OutputRules.Rule {
        if let path = value.string, !path.isEmpty { return OutputRules.Rule(path) }
        var fields = try FieldReader(value, at: place, expected: #"a path such as "item.text", or {"where": {"type": "result"}, "take": "result"}"#)
        let take = try fields.string("take")
        var conditions: [(path: String, value: JSON)] = []
        if let value = fields.take("where") {
            guard let object = value.object else {
                throw FieldReader.wrongKind(value, at: place.appending("where"), expected: "an object from paths to values")
            }
            conditions = object.members.map { ($0.name, $0.value) }
        }
        try fields.finish()
        return OutputRules.Rule(take, where: conditions)
    }
}
