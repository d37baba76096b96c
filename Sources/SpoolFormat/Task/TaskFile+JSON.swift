// Tasks as JSON: the other direction of `TaskReader`.

extension TaskFile {
    public var json: JSON {
        var object = JSONObject()
        object["id"] = .optional(id)
        object[verb.name] = verb.json
        for member in verb.fields.members { object[member.name] = member.value }
        for member in options.json.members { object[member.name] = member.value }
        return .object(object)
    }
}

extension TaskOptions {
    public var json: JSONObject {
        var object = JSONObject()
        object["queue"] = .optional(queue)
        object["priority"] = .optional(priority)
        object["key"] = .optional(key)
        object["on_duplicate"] = .optional(onDuplicate?.rawValue)
        object["after"] = after.map { .array($0.map(\.json)) }
        object["after_failed"] = .optional(afterFailed?.rawValue)
        object["not_before"] = .optional(notBefore?.description)
        object["delay"] = .optional(delay?.description)
        object["expires_at"] = .optional(expiresAt?.description)
        object["expires_in"] = .optional(expiresIn?.description)
        object["timeout"] = .optional(timeout?.description)
        object["grace"] = .optional(grace?.description)
        object["retries"] = .optional(retries)
        object["backoff"] = backoff?.json
        object["cwd"] = .optional(cwd)
        object["env"] = env.map(JSON.init)
        object["stdin"] = stdin?.json
        object["on_crash"] = .optional(onCrash?.rawValue)
        object["reply_to"] = .optional(replyTo)
        object["limits"] = limits?.json
        object["notify"] = notify.map { .array($0.map(JSON.string)) }
        object["labels"] = labels.map { JSON($0) }
        object["parent"] = .optional(parent)
        return object
    }
}

extension JSON {
    /// A string map, sorted by name, so that the same map is always the same text.
    public init(_ map: [String: String]) {
        var object = JSONObject()
        for (name, value) in map.sorted(by: { $0.key < $1.key }) { object[name] = .string(value) }
        self = .object(object)
    }

    public init(_ environment: [String: EnvironmentValue]) {
        var object = JSONObject()
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            switch value {
            case .text(let text): object[name] = .string(text)
            case .file(let path): object[name] = ["from_file": .string(path)]
            }
        }
        self = .object(object)
    }
}

extension Dependency {
    var json: JSON {
        switch self {
        case .name(let name): .string(name)
        case .position(let position): .number(position)
        }
    }
}

extension StandardInput {
    public var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .file(let path): ["file": .string(path)]
        }
    }
}

extension Backoff {
    var json: JSON {
        [
            "base": .string(base.description), "factor": .double(factor), "max": .string(max.description),
            "jitter": .double(jitter),
        ]
    }
}

extension Limits {
    public var json: JSON {
        var object = JSONObject()
        object["memory"] = memory.map(JSON.int)
        object["cpu_seconds"] = cpuSeconds.map(JSON.int)
        object["open_files"] = openFiles.map(JSON.int)
        object["processes"] = processes.map(JSON.int)
        object["log_bytes"] = logBytes.map(JSON.int)
        return .object(object)
    }
}
