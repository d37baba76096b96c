extension Verb {
    /// One line for lists: the command as a person would type it, or what a control verb acts on.
    public var summary: String {
        let text =
            switch self {
            case .run(let arguments):
                arguments.count == 3 && arguments[0] == "/bin/sh" && arguments[1] == "-c"
                    ? arguments[2] : arguments.joined(separator: " ")
            case .tasks(let tasks): "\(tasks.count) tasks"
            case .control(let verb, .job(let id)): "\(verb.rawValue) \(id)"
            case .control(let verb, .session(let session)): "\(verb.rawValue) session \(session)"
            case .prompt(let prompt): prompt.display ?? prompt.text
            case .wake(let wake): "wake " + wake.sessions.joined(separator: " ") + (wake.reason.map { ": " + $0 } ?? "")
            case .note(let note): "note for \(note.session): \(note.text)"
            case .answer(let answer): "answer \(answer.session): \(answer.text)"
            case .session(let command): "\(command.verb.rawValue) \(command.session)"
            case .control(let verb, .queue(let queue)): "\(verb.rawValue) queue \(queue)"
            case .control(let verb, .labels(let labels)):
                "\(verb.rawValue) label " + labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            }
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard line.utf8.count > 200 else { return line }
        var cut = line.prefix(197)
        while cut.utf8.count > 197 { cut.removeLast() }
        return cut + "…"
    }
}
