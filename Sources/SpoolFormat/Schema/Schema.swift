/// JSON Schemas (2020-12) for what people write: task files, and the configuration of queues, schedules, agents and sessions.
///
/// They are built from the words and the bounds of the readers. A schema accepts everything that its reader accepts,
/// and rejects everything that it rejects, except what can't be said in a schema:
/// - duplicate names, and other faults of the text as JSON; the size of a file
/// - lengths in bytes: a schema counts characters, so a text that is not ASCII may be longer than the reader allows
/// - two names that are the same characters in two Unicode spellings
/// - days that a month does not have, and times outside the years 0000 to 9999 once their offset is taken off
/// - durations that are longer than 36,500 days together, or shorter than the least one but not 0
/// - comparisons of two fields: an expiry that is not after the start, a `backoff.max` below its `base`
/// - in `after`: positions of no other task
/// - whether a text is a regular expression
public enum Schema {
    /// What `rouse schema` prints: the name of each schema.
    public static let names = ["task", "queue", "schedule", "agent", "session"]

    public static func named(_ name: String) -> JSON? {
        switch name {
        case "task": task
        case "queue": queue
        case "schedule": schedule
        case "agent": agent
        case "session": session
        default: nil
        }
    }

    /// A task file.
    public static let task = document("A task file", reference("task"), definitions: taskDefinitions)

    /// `config/queues/<name>.json`
    public static let queue = document(
        "The configuration of a queue", queueConfiguration, definitions: taskDefinitions)

    /// `config/schedules/<name>.json`
    public static let schedule = document(
        "The configuration of a schedule", scheduleConfiguration, definitions: taskDefinitions)

    /// `config/agents/<name>.json`
    public static let agent = document("The configuration of an agent", agentConfiguration, definitions: taskDefinitions)

    /// `config/sessions/<name>.json`
    public static let session = document("The definition of a session", sessionConfiguration, definitions: taskDefinitions)

    private static func document(_ title: String, _ body: JSON, definitions: JSON) -> JSON {
        var object: JSONObject = ["$schema": "https://json-schema.org/draft/2020-12/schema", "title": .string(title)]
        for member in body.object!.members { object[member.name] = member.value }
        object["$defs"] = definitions
        return .object(object)
    }
}

// The words that schemas are built from.
extension Schema {
    static func reference(_ name: String) -> JSON { ["$ref": .string("#/$defs/" + name)] }

    /// An object that has no other members than these.
    static func closed(
        _ properties: JSONObject, required: [String] = [], description: String? = nil, _ rest: JSONObject = [:]
    ) -> JSON {
        var object: JSONObject = ["type": "object"]
        object["description"] = .optional(description)
        object["properties"] = .object(properties)
        object["required"] = required.isEmpty ? nil : .array(required.map(JSON.string))
        object["additionalProperties"] = false
        for member in rest.members { object[member.name] = member.value }
        return .object(object)
    }

    static func described(_ schema: JSON, _ description: String) -> JSON {
        var object = schema.object!
        object["description"] = .string(description)
        return .object(object)
    }

    static func text(from least: Int = 0, to most: Int, pattern: String = #"^[^\u0000]*$"#) -> JSON {
        var object: JSONObject = ["type": "string"]
        object["minLength"] = least == 0 ? nil : .number(least)
        object["maxLength"] = .number(most)
        object["pattern"] = .string(pattern)
        return .object(object)
    }

    static func integer(_ range: ClosedRange<Int>) -> JSON {
        ["type": "integer", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    }

    static func number(_ range: ClosedRange<Double>) -> JSON {
        ["type": "number", "minimum": .double(range.lowerBound), "maximum": .double(range.upperBound)]
    }

    static func word<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> JSON where Word.RawValue == String {
        words(Word.allCases.map(\.rawValue))
    }

    static func words(_ words: some Sequence<String>) -> JSON { ["enum": .array(words.map(JSON.string))] }

    static func array(of element: JSON, from least: Int = 0, to most: Int) -> JSON {
        var object: JSONObject = ["type": "array", "items": element]
        object["minItems"] = least == 0 ? nil : .number(least)
        object["maxItems"] = .number(most)
        return .object(object)
    }

    static func either(_ choices: JSON...) -> JSON { ["oneOf": .array(choices)] }

    static func not(_ names: String...) -> JSON { ["not": ["required": .array(names.map(JSON.string))]] }

    /// A map from names to values of one kind.
    static func map(to value: JSON, from least: Int = 0, to most: Int, names: String) -> JSON {
        var object: JSONObject = ["type": "object"]
        object["minProperties"] = least == 0 ? nil : .number(least)
        object["maxProperties"] = .number(most)
        object["propertyNames"] = ["minLength": 1, "maxLength": .number(Bounds.mapName), "pattern": .string(names)]
        object["additionalProperties"] = value
        return .object(object)
    }
}
