// Reading `config/agents/<name>.json`.
extension AgentConfiguration {
    /// - Throws: `TaskFault`, whose path says which field is at fault.
    public static func read(_ value: JSON) throws(TaskFault) -> AgentConfiguration {
        var fields = try FieldReader(value, at: JSONPath(), expected: "a JSON object that describes an agent")
        let driver = try fields.choice("driver", Driver.self)
        let command = try arguments("command", &fields)
        guard let driver, let command else {
            let name = driver == nil ? "driver" : "command"
            throw TaskFault(
                "missing_field", "the agent has no \"\(name)\"", at: fields.path,
                expected: driver == nil ? "\"command\", \"acp\" or \"tmux\"" : "the program and its arguments")
        }
        var agent = AgentConfiguration(driver: driver, command: command)
        agent.resume = try arguments("resume", &fields)
        agent.promptBy = try fields.choice("prompt", PromptBy.self) ?? (agent.mentions("prompt") ? .argument : agent.mentions("prompt_file") ? .file : .stdin)
        if let value = fields.take("env") { agent.environment = try TaskReader.environment(value, at: fields.path.appending("env")) }
        agent.model = try fields.take("model", expected: modelExpected) { $0.string.flatMap(checkModel) }
        if let value = fields.take("output") { agent.output = try OutputRules.read(value, at: fields.path.appending("output")) }
        if let value = fields.take("ready") { agent.ready = try Readiness.read(value, at: fields.path.appending("ready")) }
        try agent.readPermissions(&fields)
        agent.cancelTimeout = try fields.span("cancel_timeout", atLeast: Bounds.shortestTimeout) ?? agent.cancelTimeout
        agent.timeout = try fields.span("timeout", atLeast: Bounds.shortestTimeout)
        agent.grace = try fields.span("grace")
        agent.lostSession = try fields.choice("on_lost_session", LostSession.self) ?? .anew
        agent.retryableExitCodes = try fields.list("retryable_exit_codes", maximumCount: 100, expected: "an exit code from 1 to 255") { value in
            value.int.flatMap { (1...255).contains($0) ? $0 : nil }
        } ?? []
        agent.interruptKeys = try keys("interrupt_keys", &fields) ?? agent.interruptKeys
        agent.clearKeys = try keys("clear_keys", &fields) ?? agent.clearKeys
        agent.waitingPatterns = try fields.patterns("waiting") ?? []
        try fields.finish(synonyms: [
            "argv": "command", "args": "command", "cmd": "command", "run": "command", "environment": "env", "type": "driver",
            "permission": "permissions", "readiness": "ready",
        ])
        try agent.check()
        return agent
    }

    private static func arguments(_ name: String, _ fields: inout FieldReader) throws(TaskFault) -> [String]? {
        let place = fields.path.appending(name)
        let arguments = try fields.list(name, maximumCount: 1000, expected: "a string without NUL") { value in
            value.string.flatMap { $0.utf8.contains(0) || $0.utf8.count > Bounds.argument ? nil : $0 }
        }
        guard let arguments else { return nil }
        guard let program = arguments.first, !program.isEmpty else {
            throw TaskFault("bad_value", "\(place) names no program", at: place, expected: "the program and its arguments")
        }
        for (index, argument) in arguments.enumerated() {
            for word in words(in: argument) where !placeholders.contains(word) {
                throw TaskFault(
                    "bad_value", "{\(word)} is not a word that is replaced", at: place.appending(index),
                    expected: "one of " + placeholders.map { "{\($0)}" }.joined(separator: ", "),
                    hint: nearest(to: word, among: placeholders).map { "did you mean {\($0)}?" } ?? "write {{ for a brace")
            }
        }
        return arguments
    }

    private static func keys(_ name: String, _ fields: inout FieldReader) throws(TaskFault) -> [String]? {
        try fields.list(name, maximumCount: 100, expected: "a key as tmux names it, such as \"Enter\"") { value in
            value.string.flatMap { (1...100).contains($0.utf8.count) && !$0.utf8.contains(0) && !$0.hasPrefix("-") ? $0 : nil }
        }
    }

    private mutating func readPermissions(_ fields: inout FieldReader) throws(TaskFault) {
        let choices = Permission.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        guard let value = fields.take("permissions") else { return }
        let place = fields.path.appending("permissions")
        if let word = value.string {
            guard let permission = Permission(rawValue: word) else { throw FieldReader.wrongKind(value, at: place, expected: "one of " + choices) }
            self.permission = permission
            return
        }
        guard let object = value.object else {
            throw FieldReader.wrongKind(value, at: place, expected: "one of \(choices), or an object from kinds of tool calls to these")
        }
        for member in object.members {
            guard let permission = member.value.string.flatMap(Permission.init) else {
                throw FieldReader.wrongKind(member.value, at: place.appending(member.name), expected: "one of " + choices)
            }
            if member.name == "default" { self.permission = permission } else { permissionsByKind[member.name] = permission }
        }
    }

    private func check() throws(TaskFault) {
        func fault(_ field: String, _ message: String, _ expected: String) -> TaskFault {
            TaskFault("bad_value", message, at: JSONPath([.name(field)]), isAtName: true, expected: expected)
        }
        if driver != .command {
            if driver == .acp, resume != nil {
                throw fault("resume", "\"resume\" belongs to the drivers \"command\" and \"tmux\"", "no \"resume\"")
            }
            // Its session's id is not heard from a terminal.
            if let resume, resume.contains(where: { Self.words(in: $0).contains("session") }),
                !command.contains(where: { Self.words(in: $0).contains("new_session") }) {
                throw fault("resume", "\"resume\" says {session}, and \"command\" gives the agent no id for its session", "{new_session} in \"command\"")
            }
            if driver == .tmux, ready.pattern == nil {
                throw TaskFault(
                    "missing_field", "a tmux agent has no \"ready.pattern\"", at: JSONPath(), expected: "\"ready\": {\"pattern\": …}",
                    hint: "a regular expression that its screen matches when it waits for a prompt; without one, text would be typed into whatever is there")
            }
            if mentions("prompt") || mentions("prompt_file") {
                throw fault("command", "a \(driver.rawValue) agent is not given its prompt in its arguments", "no {prompt}")
            }
            return
        }
        if promptBy == .argument, !mentions("prompt") { throw fault("prompt", "no argument says {prompt}", "{prompt} in \"command\"") }
        if promptBy == .file, !mentions("prompt_file") { throw fault("prompt", "no argument says {prompt_file}", "{prompt_file} in \"command\"") }
        if promptBy != .argument, mentions("prompt") { throw fault("prompt", "{prompt} is in \"command\"", "\"prompt\": \"argument\"") }
        if command.contains(where: { Self.words(in: $0).contains("session") }) {
            throw fault("command", "{session} is not known before the first turn", "\"resume\" for the turns that have one, {new_session} for the first")
        }
    }

    /// Whether an argument has the word in braces.
    public func mentions(_ word: String) -> Bool { (command + (resume ?? [])).contains { Self.words(in: $0).contains(word) } }

    /// The words in braces of an argument; `{{` is a brace.
    static func words(in argument: String) -> [String] {
        var words: [String] = []
        _ = replace(in: argument) { word in
            words.append(word)
            return ""
        }
        return words
    }

    /// The argument with what stands for each word in braces. `{{` is a brace; braces that hold no word (no lower-case
    /// letters and `_` only) stay as they are, so that JSON can be an argument.
    public static func replace(in argument: String, _ value: (String) -> String) -> String {
        var result = ""
        var rest = argument[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            rest = rest[rest.index(after: open)...]
            if rest.first == "{" {
                result += "{"
                rest = rest.dropFirst()
            } else if let close = rest.firstIndex(of: "}"), isWord(rest[..<close]) {
                result += value(String(rest[..<close]))
                rest = rest[rest.index(after: close)...]
            } else {
                result += "{"
            }
        }
        return result + rest
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_") }
    }
}

extension AgentConfiguration.Readiness {
    static func read(_ value: JSON, at place: JSONPath) throws(TaskFault) -> Self {
        var fields = try FieldReader(value, at: place, expected: "an object with pattern, timeout, quiet, dialogs")
        var ready = Self()
        ready.pattern = try fields.pattern("pattern")
        ready.timeout = try fields.span("timeout", atLeast: Bounds.shortestTimeout) ?? ready.timeout
        ready.quiet = try fields.span("quiet") ?? ready.quiet
        if let value = fields.take("dialogs") {
            let place = place.appending("dialogs")
            guard let elements = value.array, elements.count <= 100 else {
                throw FieldReader.wrongKind(value, at: place, expected: "an array of dialogs")
            }
            for (index, element) in elements.enumerated() {
                let place = place.appending(index)
                var inner = try FieldReader(element, at: place, expected: "an object with pattern and keys")
                let pattern = try inner.pattern("pattern")
                let keys = try inner.list("keys", maximumCount: 100, expected: "a key as tmux names it, such as \"Enter\"") { value in
                    value.string.flatMap { (1...100).contains($0.utf8.count) && !$0.utf8.contains(0) && !$0.hasPrefix("-") ? $0 : nil }
                }
                try inner.finish()
                guard let pattern, let keys, !keys.isEmpty else {
                    throw TaskFault("missing_field", "\(place) has no pattern or no keys", at: place, expected: "pattern and keys")
                }
                ready.dialogs.append(Dialog(pattern: pattern, keys: keys))
            }
        }
        try fields.finish()
        return ready
    }
}

extension FieldReader {
    /// A regular expression, in Swift's syntax, which is that of most.
    mutating func pattern(_ name: String) throws(TaskFault) -> String? {
        guard let text = try string(name, maximumBytes: 1000) else { return nil }
        do { _ = try Regex(text) } catch {
            throw TaskFault("bad_value", "\(path.appending(name)) is no regular expression: \(error)", at: path.appending(name), expected: "a regular expression")
        }
        return text
    }

    mutating func patterns(_ name: String) throws(TaskFault) -> [String]? {
        try list(name, maximumCount: 100, expected: "a regular expression") { value in
            value.string.flatMap { (1...1000).contains($0.utf8.count) && (try? Regex($0)) != nil ? $0 : nil }
        }
    }
}
