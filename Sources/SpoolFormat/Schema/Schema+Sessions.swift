// The schemas of what is said to agents and sessions: verbs, and the definition of a session.
extension Schema {
    static let sessionDefinitions: JSONObject = [
        "content": either(
            words,
            [
                "type": "array", "minItems": 1, "maxItems": .number(ContentBlock.most),
                "items": either(words, reference("text_block"), reference("image_block"), reference("link_block")),
            ]),
        "text_block": closed(["type": ["const": "text"], "text": words], required: ["type", "text"]),
        "image_block": closed(
            [
                "type": ["const": "image"], "data": described(["type": "string", "pattern": "^([A-Za-z0-9+/=]{4})+$"], "Base64"),
                "mimeType": ["type": "string", "pattern": "^image/", "maxLength": 100],
            ], required: ["type", "data", "mimeType"]),
        "link_block": closed(["type": ["const": "resource_link"], "uri": line, "name": line], required: ["type", "uri"]),
        "sessions": either(reference("queue_name"), array(of: reference("queue_name"), to: 100)),
        "model": described(text(from: 1, to: 128, pattern: "^[A-Za-z0-9._:/@][A-Za-z0-9._:/@-]*$"), AgentConfiguration.modelExpected),
    ]

    /// Text of any length, but some.
    private static let words: JSON = ["type": "string", "minLength": 1, "pattern": #"^[^\u0000]*$"#]
    static let line = text(from: 1, to: 4096)
    private static let remark = text(from: 1, to: 10_000)

    // MARK: verbs

    static func promptTasks(isElement: Bool) -> [JSON] {
        func task(_ target: String, without refused: [String]) -> JSON {
            var properties: JSONObject = [
                "prompt": described(reference("content"), "what is said to the agent"), "display": remark, target: reference("queue_name"),
            ]
            return work(&properties, without: refused, required: ["prompt", target], isElement: isElement)
        }
        return [task("session", without: ["queue", "cwd", "env", "stdin"]), task("agent", without: ["stdin"])]
    }

    static func wakeTask(isElement: Bool) -> JSON {
        var properties: JSONObject = [
            "wake": either(reference("queue_name"), array(of: reference("queue_name"), from: 1, to: 1)), "reason": remark,
            "mode": word(WakeMode.self),
        ]
        return work(&properties, without: ["queue", "key", "on_duplicate", "cwd", "env", "stdin", "limits"], required: ["wake"], isElement: isElement)
    }

    /// Verbs that are acted on at once.
    static let momentaryTasks: [JSON] = [
        momentary(
            ["wake": array(of: reference("queue_name"), from: 2, to: 100), "reason": remark, "mode": word(WakeMode.self)], required: ["wake"]),
        momentary(["note": words, "session": reference("queue_name")], required: ["note", "session"]),
        momentary(["answer": words, "session": reference("queue_name")], required: ["answer", "session"]),
        momentary(["open": reference("queue_name")], required: ["open"]),
        momentary(definition(["open": reference("queue_name")]), required: ["open", "agent"], definitionRules),
        momentary(["lock": reference("queue_name"), "reason": remark, "hint": remark], required: ["lock"]),
        momentary(["restart": reference("queue_name"), "reason": remark, "fresh": ["type": "boolean"]], required: ["restart"]),
    ] + [SessionVerb.stop, .interrupt, .pause, .resume, .unlock].map { verb in
        momentary([verb.rawValue: reference("queue_name"), "reason": remark], required: [verb.rawValue])
    }

    private static func momentary(_ properties: JSONObject, required: [String], _ rest: JSONObject = [:]) -> JSON {
        var properties = properties
        properties["labels"] = reference("labels")
        properties["parent"] = reference("job_id")
        return closed(properties, required: required, rest)
    }

    private static func work(_ properties: inout JSONObject, without refused: [String], required: [String], isElement: Bool) -> JSON {
        if isElement { properties["id"] = reference("job_id") }
        for member in optionProperties(isElement: isElement).members where !refused.contains(member.name) {
            properties[member.name] = member.value
        }
        return closed(properties, required: required, contradictions)
    }

    // MARK: the definition of a session

    static let sessionConfiguration = closed(definition([:]), required: ["agent"], definitionRules)

    private static func definition(_ more: JSONObject) -> JSONObject {
        let names = array(of: reference("queue_name"), to: 1000)
        var properties: JSONObject = [
            "agent": described(reference("queue_name"), "an agent of config/agents/"),
            "cwd": described(reference("absolute_path"), "where the agent works"),
            "role": word(SessionConfiguration.Role.self),
            "coordinates": closed(
                ["queues": names, "labels": reference("labels"), "parents": array(of: reference("job_id"), to: 1000)],
                description: "the jobs that it is woken for"),
            "wake_on": array(of: Schema.words(WakeEvent.ofJobs.map(\.rawValue)), to: 100),
            "mode": word(WakeMode.self),
            "pending": described(integer(1...SessionConfiguration.mostPending), "prompts that may wait"),
            "model": reference("model"),
            "env": reference("environment"),
            "timeout": described(reference("some_duration"), "of a turn"),
            "grace": reference("duration"),
            "on_lost_session": word(LostSession.self),
        ]
        for member in more.members { properties[member.name] = member.value }
        return properties
    }

    /// A worker coordinates nothing.
    private static let definitionRules: JSONObject = {
        let some = ["queues", "labels", "parents"].map { name in
            JSON.object(["required": [.string(name)], "properties": [name: ["minItems": 1, "minProperties": 1]]])
        }
        return [
            "not": [
                "required": ["role", "coordinates"],
                "properties": ["role": ["const": "worker"], "coordinates": ["anyOf": .array(some)]],
            ]
        ]
    }()
}
