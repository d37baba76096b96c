// The verbs of agents and sessions, with the fields that belong to them.
extension TaskReader {
    /// Fields of these verbs beside the options.
    static let sessionFields = [
        "agent", "session", "display", "reason", "hint", "mode", "fresh", "role", "coordinates", "wake_on", "pending", "model",
        "on_lost_session",
    ]

    mutating func prompt(_ value: JSON, at place: JSONPath) throws(TaskFault) -> Verb {
        let content = try ContentBlock.readAll(value, at: place)
        let session = try sessionName("session")
        let agent = try fields.take("agent", expected: SessionName.expectedAgent) { $0.string.flatMap(SessionName.check) }
        let display = try fields.string("display", maximumBytes: 10_000)
        switch (session, agent) {
        case (let session?, nil): return .prompt(Prompt(content, display: display, target: .session(session)))
        case (nil, let agent?): return .prompt(Prompt(content, display: display, target: .agent(agent)))
        case (nil, nil):
            throw TaskFault(
                "missing_field", "the prompt says neither \"session\" nor \"agent\"", at: fields.path,
                expected: "one of the two", hint: #""session" continues a conversation, "agent" runs an agent once"#)
        case (_?, _?):
            throw TaskFault(
                "field_not_allowed", "\"session\" and \"agent\" are both given", at: fields.path.appending("agent"), isAtName: true,
                expected: "one of the two", hint: "a session has its agent")
        }
    }

    mutating func wake(_ value: JSON, at place: JSONPath) throws(TaskFault) -> Verb {
        let expected = "a session's name, or an array of 1 to 100 of them"
        let values = value.array ?? [value]
        guard (1...100).contains(values.count) else { throw FieldReader.wrongKind(value, at: place, expected: expected) }
        var sessions: [String] = []
        for (index, element) in values.enumerated() {
            guard let name = element.string.flatMap(SessionName.check) else {
                throw FieldReader.wrongKind(element, at: value.array == nil ? place : place.appending(index), expected: SessionName.expected)
            }
            if !sessions.contains(name) { sessions.append(name) }
        }
        let reason = try fields.string("reason", maximumBytes: 10_000)
        let mode = try fields.choice("mode", WakeMode.self)
        let cause = isRecord ? fields.take("cause").flatMap(WakeReason.init) : nil
        return .wake(Wake(sessions, reason: reason, mode: mode, cause: cause))
    }

    mutating func note(_ value: JSON, at place: JSONPath) throws(TaskFault) -> Verb {
        guard let text = value.string, !text.isEmpty, !text.utf8.contains(0) else {
            throw FieldReader.wrongKind(value, at: place, expected: "a text without NUL")
        }
        return .note(Note(text, session: try neededSession("note")))
    }

    mutating func answer(_ value: JSON, at place: JSONPath) throws(TaskFault) -> Verb {
        guard let text = value.string, !text.isEmpty, !text.utf8.contains(0) else {
            throw FieldReader.wrongKind(value, at: place, expected: "a text, or the id, kind or name of an option")
        }
        return .answer(Answer(text, session: try neededSession("answer")))
    }

    mutating func sessionCommand(_ verb: SessionVerb, _ value: JSON, at place: JSONPath) throws(TaskFault) -> Verb {
        guard let name = value.string.flatMap(SessionName.check) else {
            throw FieldReader.wrongKind(value, at: place, expected: SessionName.expected)
        }
        var command = SessionCommand(verb, name)
        switch verb {
        case .open:
            var definition = fields
            if definition.take("agent") != nil { command.definition = try SessionConfiguration.read(&fields) }
        case .lock:
            command.reason = try fields.string("reason", maximumBytes: 10_000)
            command.hint = try fields.string("hint", maximumBytes: 10_000)
        case .restart:
            command.isFresh = try fields.take("fresh", expected: "true or false") { $0.bool } ?? false
            command.reason = try fields.string("reason", maximumBytes: 10_000)
        case .stop, .interrupt, .pause, .resume, .unlock:
            command.reason = try fields.string("reason", maximumBytes: 10_000)
        }
        return .session(command)
    }

    private mutating func neededSession(_ verb: String) throws(TaskFault) -> String {
        guard let session = try sessionName("session") else {
            throw TaskFault("missing_field", "the \(verb) says no \"session\"", at: fields.path, expected: "\"session\"", hint: "name the session it is for")
        }
        return session
    }

    mutating func sessionName(_ name: String) throws(TaskFault) -> String? {
        try fields.take(name, expected: SessionName.expected) { $0.string.flatMap(SessionName.check) }
    }

    /// The options that a verb takes.
    mutating func options(of verb: Verb) throws(TaskFault) -> TaskOptions {
        switch verb {
        case .run: return try workOptions()
        case .prompt(let prompt):
            try refuse(prompt.agent == nil ? ["queue", "cwd", "env", "stdin"] : ["stdin"], of: verb)
            return try workOptions()
        case .wake where verb.runs:
            if !isRecord { try refuse(["queue", "key", "on_duplicate", "cwd", "env", "stdin", "limits", "notify"], of: verb) }
            return try workOptions()
        case .wake, .tasks, .control, .note, .answer, .session: return try commonOptions()
        }
    }

    private func refuse(_ names: [String], of verb: Verb) throws(TaskFault) {
        var reader = fields
        for name in names where reader.take(name) != nil {
            let what = verb.turnSession == nil ? "a \"\(verb.name)\"" : "a turn of a session: the session has its own"
            throw TaskFault(
                "field_not_allowed", "\"\(name)\" does not go with \(what)", at: fields.path.appending(name), isAtName: true,
                expected: "no \"\(name)\"")
        }
    }

    /// `notify`: a session or several.
    mutating func notify() throws(TaskFault) -> [String]? {
        guard let value = fields.take("notify") else { return nil }
        let place = fields.path.appending("notify")
        let values = value.array ?? [value]
        guard values.count <= 100 else { throw FieldReader.wrongKind(value, at: place, expected: "at most 100 sessions") }
        var names: [String] = []
        for (index, element) in values.enumerated() {
            guard let name = element.string.flatMap(SessionName.check) else {
                throw FieldReader.wrongKind(element, at: value.array == nil ? place : place.appending(index), expected: SessionName.expected)
            }
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
}
