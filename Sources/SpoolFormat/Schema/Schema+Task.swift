// The schema of task files.
extension Schema {
    static let taskDefinitions: JSON = .object(merged(baseDefinitions, sessionDefinitions))

    private static func merged(_ one: JSONObject, _ other: JSONObject) -> JSONObject {
        var all = one
        for member in other.members { all[member.name] = member.value }
        return all
    }

    private static let baseDefinitions: JSONObject = [
        "task": ["oneOf": .array(work(isElement: false) + [tasksTask, controlTask] + momentaryTasks)],
        "element": ["oneOf": .array(work(isElement: true))],
        "options": closed(optionProperties(isElement: false), contradictions),
        "job_id": text(from: 1, to: JobID.longest, pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$"),
        "queue_name": described(text(from: 1, to: QueueName.longest, pattern: #"^(?!.*\.json$)[A-Za-z0-9][A-Za-z0-9._-]*$"#), QueueName.expected),
        "duration": described(duration(), "90s, 30m, 2h, 1d, 250ms or 1h30m"),
        "some_duration": described(duration(lookahead: "(?=.*[1-9])"), "a duration of more than 0"),
        "time": described(["type": "string", "pattern": .string(timePattern)], "RFC 3339, such as 2026-11-21T22:00:00Z"),
        "bytes": either(
            integer(1...Int.max), ["type": "string", "pattern": .string("^[1-9][0-9]{0,5}[\(byteUnits)]$")]),
        "log_bytes": either(integer(Bounds.leastLog...Int.max), ["type": "string", "pattern": .string(logPattern)]),
        "absolute_path": text(from: 1, to: AbsolutePath.longest, pattern: #"^/[^\u0000]*$"#),
        "labels": labels(from: 0),
        "environment": map(
            to: either(text(to: Bounds.argument), closed(["from_file": reference("absolute_path")], required: ["from_file"])),
            to: Bounds.environment, names: #"^[^=\u0000]+$"#),
        "stdin": either(["type": "string"], closed(["file": reference("absolute_path")], required: ["file"])),
        "backoff": closed([
            "base": described(reference("duration"), "the first wait"), "factor": number(Bounds.backoffFactor),
            "max": described(reference("duration"), "the longest wait"), "jitter": number(Bounds.backoffJitter),
        ]),
        "limits": closed([
            "memory": reference("bytes"), "cpu_seconds": integer(Bounds.cpuSeconds), "open_files": integer(Bounds.openFiles),
            "processes": integer(Bounds.processes), "log_bytes": reference("log_bytes"),
        ]),
        "selector": either(
            reference("job_id"), closed(["queue": reference("queue_name")], required: ["queue"]),
            closed(["label": either(["type": "string", "pattern": .string(labelPattern)], labels(from: 1))], required: ["label"]),
            described(closed(["session": reference("queue_name")], required: ["session"]), "the turns of a session")),
    ]

    /// What attempts are made of.
    private static func work(isElement: Bool) -> [JSON] {
        [runTask(isElement: isElement)] + promptTasks(isElement: isElement) + [wakeTask(isElement: isElement)]
    }

    static let contradictions: JSONObject = ["allOf": [not("not_before", "delay"), not("expires_at", "expires_in")]]

    private static func runTask(isElement: Bool) -> JSON {
        var properties: JSONObject = [
            "run": described(
                either(
                    text(from: 1, to: Bounds.argument),
                    [
                        "type": "array", "minItems": 1, "prefixItems": [text(from: 1, to: Bounds.argument)],
                        "items": text(to: Bounds.argument),
                    ]), "a program and its arguments, or a line for /bin/sh -c")
        ]
        if isElement { properties["id"] = reference("job_id") }
        for member in optionProperties(isElement: isElement).members { properties[member.name] = member.value }
        return closed(properties, required: ["run"], contradictions)
    }

    private static let tasksTask = closed(
        [
            "tasks": described(array(of: reference("element"), from: 1, to: Bounds.tasks), "all are accepted or none"),
            "labels": reference("labels"), "parent": reference("job_id"),
        ], required: ["tasks"])

    private static var controlTask: JSON {
        var properties = JSONObject()
        for verb in ControlVerb.allCases { properties[verb.rawValue] = reference("selector") }
        properties["labels"] = reference("labels")
        properties["parent"] = reference("job_id")
        let verbs = ControlVerb.allCases.map { verb in JSON.object(["required": [.string(verb.rawValue)]]) }
        return closed(properties, ["oneOf": .array(verbs)])
    }

    static func optionProperties(isElement: Bool) -> JSONObject {
        let name = text(from: 1, to: Bounds.key)
        let dependency = isElement ? either(name, integer(0...Int.max)) : name
        return [
            "labels": reference("labels"),
            "parent": described(reference("job_id"), "the job that dropped this task"),
            "queue": reference("queue_name"),
            "priority": either(words(Priority.numbers.map(\.key)), integer(Bounds.priority)),
            "key": described(name, "at most one unfinished job has a key"),
            "on_duplicate": word(DuplicatePolicy.self),
            "after": described(either(name, array(of: dependency, to: Bounds.dependencies)), "ids or keys that must be done first"),
            "after_failed": word(FailedDependencyPolicy.self),
            "not_before": reference("time"),
            "delay": reference("duration"),
            "expires_at": reference("time"),
            "expires_in": reference("duration"),
            "timeout": described(reference("some_duration"), "1h"),
            "grace": described(reference("duration"), "between SIGTERM and SIGKILL; 10s"),
            "retries": integer(Bounds.retries),
            "backoff": reference("backoff"),
            "cwd": reference("absolute_path"),
            "env": reference("environment"),
            "stdin": reference("stdin"),
            "on_crash": word(CrashPolicy.self),
            "reply_to": described(reference("absolute_path"), "where a copy of result.json is put"),
            "limits": reference("limits"),
            "notify": described(reference("sessions"), "sessions that are woken when the job finishes"),
        ]
    }

    private static func labels(from least: Int) -> JSON {
        map(to: text(to: Bounds.mapValue), from: least, to: Bounds.labels, names: #"^[^\u0000]+$"#)
    }

    private static func duration(lookahead: String = "(?=.)") -> JSON {
        let parts = TimeSpan.unitNames.map { "([0-9]+(\\.[0-9]+)?\($0))?" }
        return ["type": "string", "pattern": .string("^" + lookahead + parts.joined() + "$")]
    }

    private static let timePattern =
        #"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"#
        + #"(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"#

    private static let byteUnits = ByteCount.shifts.map { String($0.key) }.joined()
    /// At least 4096 bytes: 4K.
    private static let logPattern = "^([4-9]K|[1-9][0-9]{1,5}K|[1-9][0-9]{0,5}[\(byteUnits.dropFirst())])$"
    private static let labelPattern =
        #"^[^=\u0000]{1,\#(Bounds.mapName)}=[^\u0000]{0,\#(Bounds.mapValue)}$"#
}
