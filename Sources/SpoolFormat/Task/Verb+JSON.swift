// Verbs as JSON: the other direction of `TaskReader`.
extension Verb {
    /// The value of the verb's own name.
    var json: JSON {
        switch self {
        case .run(let arguments): .array(arguments.map(JSON.string))
        case .tasks(let tasks): .array(tasks.map(\.json))
        case .control(_, .job(let id)): .string(id)
        case .control(_, .queue(let name)): ["queue": .string(name)]
        case .control(_, .labels(let labels)): ["label": JSON(labels)]
        case .control(_, .session(let name)): ["session": .string(name)]
        case .prompt(let prompt): prompt.json
        case .wake(let wake): wake.sessions.count == 1 ? .string(wake.sessions[0]) : .array(wake.sessions.map(JSON.string))
        case .note(let note): .string(note.text)
        case .answer(let answer): .string(answer.text)
        case .session(let command): .string(command.session)
        }
    }

    /// The fields beside it that are no options.
    var fields: JSONObject {
        var object = JSONObject()
        switch self {
        case .run, .tasks, .control: break
        case .prompt(let prompt):
            object["session"] = .optional(prompt.session)
            object["agent"] = .optional(prompt.agent)
            object["display"] = .optional(prompt.display)
        case .wake(let wake):
            object["reason"] = .optional(wake.reason)
            object["mode"] = .optional(wake.mode?.rawValue)
            object["cause"] = wake.cause?.json
        case .note(let note): object["session"] = .string(note.session)
        case .answer(let answer): object["session"] = .string(answer.session)
        case .session(let command):
            object["reason"] = .optional(command.reason)
            object["hint"] = .optional(command.hint)
            object["fresh"] = command.isFresh ? true : nil
            for member in command.definition?.json.members ?? [] { object[member.name] = member.value }
        }
        return object
    }
}

extension Prompt {
    var json: JSON {
        if content.count == 1, case .text(let text) = content[0] { return .string(text) }
        return .array(content.map(\.json))
    }
}
