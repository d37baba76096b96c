/// Reads a task from JSON: its form, not yet whether this spool can take it.
public struct TaskReader {
    var fields: FieldReader
    /// The task is one of several in `tasks`.
    var isElement = false
    /// The task comes from a record: it was accepted, and merging it with its queue's defaults may have made it say
    /// more than one file may say.
    var isRecord = false

    /// - Throws: `TaskFault`, whose path says which field is at fault.
    public static func read(_ value: JSON) throws(TaskFault) -> TaskFile {
        try read(value, at: JSONPath(), isElement: false)
    }

    /// Reads options without a verb: the `defaults` of a queue.
    public static func readOptions(_ value: JSON, at path: JSONPath) throws(TaskFault) -> TaskOptions {
        var reader = TaskReader(fields: try FieldReader(value, at: path, expected: "an object of task fields"))
        let options = try reader.workOptions()
        try reader.fields.finish(synonyms: fieldSynonyms) { field in
            if Verb.names.contains(field) || Verb.unsupported.contains(field) { return "\"\(field)\" is a verb; defaults have none" }
            return reader.misplaced(field)
        }
        return options
    }

    static func read(
        _ value: JSON, at path: JSONPath, isElement: Bool, isRecord: Bool = false
    ) throws(TaskFault) -> TaskFile {
        let fields = try FieldReader(value, at: path, expected: "a JSON object with one verb")
        var reader = TaskReader(fields: fields, isElement: isElement, isRecord: isRecord)
        return try reader.task(value.object!)
    }

    private mutating func task(_ object: JSONObject) throws(TaskFault) -> TaskFile {
        var verbs: [String] = []
        for member in object.members where Self.verbs.contains(member.name) { verbs.append(member.name) }
        if verbs.count > 1 { throw twoVerbs(verbs) }
        guard let name = verbs.first else { throw missingVerb(object) }
        let verb = try readVerb(name)
        var file = TaskFile(verb)
        if isElement { file.id = try jobID("id") }
        file.options = try options(of: verb)
        try fields.finish(synonyms: Self.fieldSynonyms) { field in
            if field == "id" { return "\"id\" belongs to the elements of \"tasks\"; a dropped file's id is its name" }
            if Self.workFields.contains(field) || Self.sessionFields.contains(field) { return "\"\(field)\" does not go with \"\(name)\"" }
            return misplaced(field)
        }
        return file
    }

    private func misplaced(_ field: String) -> String? {
        Self.unsupportedFields.contains(field) ? "\"\(field)\" is not in this version" : nil
    }

    private static let verbs = Set(Verb.names + Verb.unsupported)

    private func twoVerbs(_ verbs: [String]) -> TaskFault {
        // "retry" beside "run" is most likely the field "retries"; then it is the stranger of the two.
        func field(_ verb: String) -> String? { verb == "retry" ? "retries" : nearest(to: verb, among: Self.workFields) }
        let stranger = verbs.first { $0 != "run" && field($0) != nil } ?? verbs[1]
        let meant = field(stranger).map { "; if a field was meant, write \"\($0)\"" } ?? ""
        return TaskFault(
            "two_verbs", "\"\(verbs[0])\" and \"\(verbs[1])\" are both verbs; a task has exactly one",
            at: fields.path.appending(stranger), isAtName: true, expected: "exactly one verb",
            hint: "drop two files, or put both into \"tasks\"" + meant)
    }

    private func missingVerb(_ object: JSONObject) -> TaskFault {
        let expected = "one of " + Verb.names.joined(separator: ", ")
        let strangers = object.names.prefix(64).filter { name in
            !Self.workFields.contains(name) && !Self.commonFields.contains(name) && !Self.unsupportedFields.contains(name)
                && name != "id"
        }
        func known(_ name: String) -> String? { nearest(to: name, among: Verb.names) ?? Self.verbSynonyms[name.lowercased()] }
        if let name = strangers.first(where: { known($0) != nil }), let verb = known(name) {
            return TaskFault(
                "unknown_field", "\(JSONPath.quoted(name)) is not a verb", at: fields.path.appending(name), isAtName: true,
                expected: expected, hint: "did you mean \"\(verb)\"?")
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
                "unsupported_verb", "\"\(name)\" is not in this version", at: place,
                isAtName: true, expected: "one of " + Verb.names.joined(separator: ", "))
        }
        switch name {
        case "run": return .run(try command(value, at: place))
        case "tasks": return .tasks(try elements(value, at: place))
        case "prompt": return try prompt(value, at: place)
        case "wake": return try wake(value, at: place)
        case "note": return try note(value, at: place)
        case "answer": return try answer(value, at: place)
        case let name where SessionVerb(rawValue: name) != nil: return try sessionCommand(SessionVerb(rawValue: name)!, value, at: place)
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
                var fault = FieldReader.wrongKind(element, at: place.appending(index), expected: "a string")
                if element.double != nil || element.bool != nil { fault.hint = "write \"\(FieldReader.words(element))\", in quotes" }
                throw fault
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
        guard text.utf8.count <= Bounds.argument else {
            throw TaskFault(
                "bad_value", "\(place) has \(text.utf8.count) bytes", at: place,
                expected: "at most \(Bounds.argument) bytes in one argument", hint: "give long text by \"stdin\"")
        }
    }

    private func elements(_ value: JSON, at place: JSONPath) throws(TaskFault) -> [TaskFile] {
        guard let values = value.array, !values.isEmpty, values.count <= Bounds.tasks else {
            throw FieldReader.wrongKind(value, at: place, expected: "an array of 1 to \(Bounds.tasks) tasks")
        }
        var tasks: [TaskFile] = []
        for (index, element) in values.enumerated() {
            let task = try Self.read(element, at: place.appending(index), isElement: true, isRecord: isRecord)
            guard task.verb.runs else {
                throw TaskFault(
                    "field_not_allowed", "\(task.verb.name) can't be one of several tasks",
                    at: place.appending(index).appending(task.verb.name), isAtName: true, expected: "run, prompt, or wake for one session",
                    hint: "drop it as a file of its own")
            }
            for (order, dependency) in (task.options.after ?? []).enumerated() {
                guard case .position(let position) = dependency, position >= values.count || position == index else { continue }
                let elementPlace = place.appending(index).appending("after").appending(order)
                throw TaskFault(
                    "bad_value", "\(elementPlace) is \(position), \(position == index ? "the task itself" : "past the last task")",
                    at: elementPlace, expected: "the position of another of the \(values.count) tasks, from 0")
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
        var inner = try FieldReader(value, at: place, expected: expected)
        let queue = try inner.take("queue", expected: QueueName.expected) { $0.string.flatMap(QueueName.check) }
        let labels = try selectedLabels(&inner)
        let session = try inner.take("session", expected: SessionName.expected) { $0.string.flatMap(SessionName.check) }
        try inner.finish(synonyms: ["labels": "label"])
        if let session, queue == nil, labels == nil { return .session(session) }
        switch (queue, labels) {
        case (let queue?, nil) where session == nil: return .queue(queue)
        case (nil, let labels?) where session == nil: return .labels(labels)
        case (nil, nil): throw FieldReader.wrongKind(value, at: place, expected: expected)
        default:
            let second = labels != nil && queue != nil ? "label" : "session"
            throw TaskFault(
                "field_not_allowed", "\(place) selects by \(queue != nil ? "queue" : "label") and by \(second)", at: place.appending(second),
                isAtName: true, expected: "one of them")
        }
    }

    /// The labels of a selector: a map, or `name=value` as the command line has it.
    private func selectedLabels(_ inner: inout FieldReader) throws(TaskFault) -> [String: String]? {
        var map = inner
        guard let value = inner.take("label") else { return nil }
        let place = inner.path.appending("label")
        if let text = value.string {
            let bytes = text.utf8
            guard let sign = bytes.firstIndex(of: UInt8(ascii: "=")), sign > bytes.startIndex,
                let name = String(bytes[..<sign]), let rest = String(bytes[bytes.index(after: sign)...]),
                !bytes.contains(0), name.utf8.count <= Bounds.mapName, rest.utf8.count <= Bounds.mapValue
            else { throw FieldReader.wrongKind(value, at: place, expected: "\"name=value\" or {\"name\": \"value\"}") }
            return [name: rest]
        }
        let labels = try map.stringMap("label", maximumCount: Bounds.labels)
        guard labels?.isEmpty == false else {
            throw FieldReader.wrongKind(value, at: place, expected: "\"name=value\" or {\"name\": \"value\"}")
        }
        return labels
    }

    mutating func jobID(_ name: String) throws(TaskFault) -> String? {
        try fields.take(name, expected: "a job id: letters, digits, '.', '_', '-', at most 128") { $0.string.flatMap(JobID.init)?.text }
    }
}
