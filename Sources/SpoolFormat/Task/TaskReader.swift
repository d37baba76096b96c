/// Reads a task from JSON: its form, not yet whether this spool can take it.
public struct TaskReader {
    /// Arguments and environment go to `execve`, which takes 128 KiB in one string (MAX_ARG_STRLEN).
    static let longestArgument = 131_071
    static let mostTasks = 1000

    var fields: FieldReader
    let isElement: Bool

    /// - Throws: `TaskFault`, whose path says which field is at fault.
    public static func read(_ value: JSON) throws(TaskFault) -> TaskFile {
        try read(value, at: JSONPath(), isElement: false)
    }

    /// Reads options without a verb: the `defaults` of a queue.
    public static func readOptions(_ value: JSON, at path: JSONPath) throws(TaskFault) -> TaskOptions {
        var reader = TaskReader(fields: try FieldReader(value, at: path, expected: "an object of task fields"), isElement: false)
        let options = try reader.workOptions()
        try reader.fields.finish()
        return options
    }

    static func read(_ value: JSON, at path: JSONPath, isElement: Bool) throws(TaskFault) -> TaskFile {
        let fields = try FieldReader(value, at: path, expected: "a JSON object with one verb")
        var reader = TaskReader(fields: fields, isElement: isElement)
        return try reader.task(value.object!)
    }

    private mutating func task(_ object: JSONObject) throws(TaskFault) -> TaskFile {
        let verbs = object.names.filter { Verb.names.contains($0) || Verb.unsupported.contains($0) }
        if verbs.count > 1 {
            throw TaskFault(
                "two_verbs", "\"\(verbs[0])\" and \"\(verbs[1])\" are both verbs; a task has exactly one",
                at: fields.path.appending(verbs[1]), isAtName: true, expected: "exactly one verb",
                hint: "drop two files, or put both into \"tasks\"")
        }
        guard let name = verbs.first else { throw missingVerb(object) }
        let verb = try readVerb(name)
        var file = TaskFile(verb)
        if isElement { file.id = try jobID("id") }
        switch verb {
        case .run: file.options = try workOptions()
        case .tasks, .control: file.options = try commonOptions()
        }
        try fields.finish { field in
            if field == "id" { return "\"id\" belongs to the elements of \"tasks\"; a dropped file's id is its name" }
            if Self.workFields.contains(field) { return "\"\(field)\" does not go with \"\(name)\"" }
            if Self.unsupportedFields.contains(field) { return "\"\(field)\" needs agent sessions, which this version does not have" }
            return nil
        }
        return file
    }

    private func missingVerb(_ object: JSONObject) -> TaskFault {
        let expected = "one of " + Verb.names.joined(separator: ", ")
        for name in object.names {
            if !Self.workFields.contains(name), let verb = nearest(to: name, among: Verb.names) {
                return TaskFault(
                    "unknown_field", "\"\(name)\" is not a verb", at: fields.path.appending(name), isAtName: true,
                    expected: expected, hint: "did you mean \"\(verb)\"?")
            }
        }
        return TaskFault(
            "no_verb", "the task has no verb", at: fields.path, expected: expected,
            hint: #"a task that runs a program is {"run": ["program", "argument"]}"#)
    }

    private mutating func readVerb(_ name: String) throws(TaskFault) -> Verb {
        let place = fields.path.appending(name)
        guard let value = fields.take(name) else { preconditionFailure("the verb is one of the object's names") }
        if Verb.unsupported.contains(name) {
            throw TaskFault(
                "unsupported_verb", "\"\(name)\" needs agent sessions, which this version does not have", at: place,
                isAtName: true, expected: "one of " + Verb.names.joined(separator: ", "))
        }
        switch name {
        case "run": return .run(try command(value, at: place))
        case "tasks": return .tasks(try elements(value, at: place))
        default: return .control(ControlVerb(rawValue: name)!, try selector(value, at: place))
        }
    }

    private func command(_ value: JSON, at place: JSONPath) throws(TaskFault) -> [String] {
        if let text = value.string {
            try checkArgument(text, at: place, mayBeEmpty: false)
            return ["/bin/sh", "-c", text]
        }
        guard let values = value.array, !values.isEmpty else {
            throw FieldReader.wrongKind(value, at: place, expected: "an array of strings, or a string for /bin/sh -c")
        }
        var arguments: [String] = []
        for (index, element) in values.enumerated() {
            guard let text = element.string else {
                throw FieldReader.wrongKind(element, at: place.appending(index), expected: "a string")
            }
            try checkArgument(text, at: place.appending(index), mayBeEmpty: index > 0)
            arguments.append(text)
        }
        return arguments
    }

    private func checkArgument(_ text: String, at place: JSONPath, mayBeEmpty: Bool) throws(TaskFault) {
        guard mayBeEmpty || !text.isEmpty else {
            throw TaskFault("bad_value", "\(place) is empty", at: place, expected: "the name of a program")
        }
        guard !text.utf8.contains(0) else {
            throw TaskFault("bad_value", "\(place) contains a NUL", at: place, expected: "text without \\u0000")
        }
        guard text.utf8.count <= Self.longestArgument else {
            throw TaskFault(
                "bad_value", "\(place) has \(text.utf8.count) bytes", at: place,
                expected: "at most \(Self.longestArgument) bytes in one argument", hint: "give long text by \"stdin\"")
        }
    }

    private func elements(_ value: JSON, at place: JSONPath) throws(TaskFault) -> [TaskFile] {
        guard let values = value.array, !values.isEmpty, values.count <= Self.mostTasks else {
            throw FieldReader.wrongKind(value, at: place, expected: "an array of 1 to \(Self.mostTasks) tasks")
        }
        var tasks: [TaskFile] = []
        for (index, element) in values.enumerated() {
            let task = try Self.read(element, at: place.appending(index), isElement: true)
            guard case .run = task.verb else {
                throw TaskFault(
                    "field_not_allowed", "\(task.verb.name) can't be one of several tasks",
                    at: place.appending(index).appending(task.verb.name), isAtName: true, expected: "run",
                    hint: "drop it as a file of its own")
            }
            tasks.append(task)
        }
        return tasks
    }

    private func selector(_ value: JSON, at place: JSONPath) throws(TaskFault) -> Selector {
        let expected = #"a job id, {"queue": "name"} or {"label": {"name": "value"}}"#
        if let text = value.string {
            guard JobID(text) != nil else {
                throw TaskFault("bad_value", "\(place) is \(FieldReader.words(value)), which no job is called", at: place, expected: expected)
            }
            return .job(text)
        }
        guard case .object(let object) = value, object.count == 1 else {
            throw FieldReader.wrongKind(value, at: place, expected: expected)
        }
        var inner = FieldReader(object, at: place)
        if let queue = try inner.take("queue", expected: "the name of a queue", { $0.string.flatMap(QueueName.check) }) {
            return .queue(queue)
        }
        if case .string(let text)? = object["label"] {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else {
                throw FieldReader.wrongKind(.string(text), at: place.appending("label"), expected: "\"name=value\"")
            }
            return .labels([String(parts[0]): String(parts[1])])
        }
        if let labels = try inner.stringMap("label"), !labels.isEmpty { return .labels(labels) }
        try inner.finish()
        throw FieldReader.wrongKind(value, at: place, expected: expected)
    }

    mutating func jobID(_ name: String) throws(TaskFault) -> String? {
        try fields.take(name, expected: "a job id: letters, digits, '.', '_', '-', at most 128") { $0.string.flatMap(JobID.init)?.text }
    }
}
