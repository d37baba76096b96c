// The options of a task, field by field.
extension TaskReader {
    static let commonFields = ["labels", "parent"]
    static let workFields = [
        "queue", "priority", "key", "on_duplicate", "after", "after_failed", "not_before", "delay", "expires_at",
        "expires_in", "timeout", "grace", "retries", "backoff", "cwd", "env", "stdin", "on_crash", "reply_to", "limits",
    ]
    static let unsupportedFields = ["notify", "budget", "worktree", "commit", "agent", "session"]

    mutating func commonOptions() throws(TaskFault) -> TaskOptions {
        var options = TaskOptions()
        options.labels = try fields.stringMap("labels")
        options.parent = try jobID("parent")
        return options
    }

    mutating func workOptions() throws(TaskFault) -> TaskOptions {
        var options = try commonOptions()
        options.queue = try fields.take("queue", expected: QueueName.expected) { $0.string.flatMap(QueueName.check) }
        options.priority = try priority()
        options.key = try fields.string("key", maximumBytes: 512)
        options.onDuplicate = try fields.choice("on_duplicate", DuplicatePolicy.self)
        options.after = try after()
        options.afterFailed = try fields.choice("after_failed", FailedDependencyPolicy.self)
        options.notBefore = try fields.time("not_before")
        options.delay = try fields.span("delay")
        options.expiresAt = try fields.time("expires_at")
        options.expiresIn = try fields.span("expires_in")
        try exclude("not_before", options.notBefore != nil, "delay", options.delay != nil)
        try exclude("expires_at", options.expiresAt != nil, "expires_in", options.expiresIn != nil)
        options.timeout = try fields.span("timeout", atLeast: TimeSpan(milliseconds: 1))
        options.grace = try fields.span("grace")
        options.retries = try fields.integer("retries", in: 0...1000)
        options.backoff = try backoff()
        options.cwd = try absolutePath("cwd")
        options.env = try environment()
        options.stdin = try standardInput()
        options.onCrash = try fields.choice("on_crash", CrashPolicy.self)
        options.replyTo = try absolutePath("reply_to")
        options.limits = try limits()
        return options
    }

    private func exclude(_ one: String, _ hasOne: Bool, _ other: String, _ hasOther: Bool) throws(TaskFault) {
        guard hasOne && hasOther else { return }
        throw TaskFault(
            "field_not_allowed", "\"\(one)\" and \"\(other)\" say the same thing twice",
            at: fields.path.appending(other), isAtName: true, expected: "one of the two")
    }

    private mutating func priority() throws(TaskFault) -> Int? {
        try fields.take("priority", expected: "\"low\", \"medium\", \"high\", \"urgent\" or a whole number from -100 to 100") { value in
            if let number = value.int { return (-100...100).contains(number) ? number : nil }
            return value.string.flatMap { Priority.numbers[$0] }
        }
    }

    private mutating func after() throws(TaskFault) -> [Dependency]? {
        guard let value = fields.take("after") else { return nil }
        let place = fields.path.appending("after")
        let what = isElement ? "ids, keys or positions" : "ids or keys"
        guard let values = value.array ?? value.string.map({ [.string($0)] }), values.count <= 1000 else {
            throw FieldReader.wrongKind(value, at: place, expected: "an array of at most 1000 \(what) of jobs")
        }
        var dependencies: [Dependency] = []
        for (index, element) in values.enumerated() {
            if let text = element.string, !text.isEmpty, text.utf8.count <= 512 {
                dependencies.append(.name(text))
            } else if isElement, let position = element.int, position >= 0 {
                dependencies.append(.position(position))
            } else {
                throw FieldReader.wrongKind(element, at: place.appending(index), expected: "one of the \(what) of jobs")
            }
        }
        return dependencies
    }

    private mutating func backoff() throws(TaskFault) -> Backoff? {
        guard let value = fields.take("backoff") else { return nil }
        var inner = try FieldReader(value, at: fields.path.appending("backoff"), expected: "an object with base, factor, max, jitter")
        var backoff = Backoff()
        backoff.base = try inner.span("base") ?? backoff.base
        backoff.factor = try inner.number("factor", in: 1...100) ?? backoff.factor
        backoff.max = try inner.span("max") ?? max(backoff.max, backoff.base)
        backoff.jitter = try inner.number("jitter", in: 0...1) ?? backoff.jitter
        try inner.finish()
        return backoff
    }

    private mutating func absolutePath(_ name: String) throws(TaskFault) -> String? {
        try fields.take(name, expected: "an absolute path") { value in
            value.string.flatMap { $0.hasPrefix("/") && $0.utf8.count < 4096 && !$0.utf8.contains(0) ? $0 : nil }
        }
    }

    private mutating func environment() throws(TaskFault) -> [String: EnvironmentValue]? {
        guard let value = fields.take("env") else { return nil }
        return try Self.environment(value, at: fields.path.appending("env"))
    }

    /// Reads an environment: names to text or `{"from_file": path}`. Queues have one too.
    public static func environment(_ value: JSON, at place: JSONPath) throws(TaskFault) -> [String: EnvironmentValue] {
        guard let object = value.object, object.count <= 1000 else {
            throw FieldReader.wrongKind(value, at: place, expected: "an object of environment variables")
        }
        var environment: [String: EnvironmentValue] = [:]
        for member in object.members {
            let memberPlace = place.appending(member.name)
            guard !member.name.isEmpty, !member.name.utf8.contains(UInt8(ascii: "=")), !member.name.utf8.contains(0) else {
                throw TaskFault("bad_value", "\"\(member.name)\" can't name an environment variable", at: memberPlace, isAtName: true, expected: "a name without = and NUL")
            }
            if let text = member.value.string, !text.utf8.contains(0), text.utf8.count <= longestArgument {
                environment[member.name] = .text(text)
                continue
            }
            guard case .object(let object) = member.value else {
                throw FieldReader.wrongKind(member.value, at: memberPlace, expected: #"a string or {"from_file": "/path"}"#)
            }
            var inner = FieldReader(object, at: memberPlace)
            let path = try inner.take("from_file", expected: "an absolute path") { $0.string.flatMap { $0.hasPrefix("/") ? $0 : nil } }
            try inner.finish()
            guard let path else { throw FieldReader.wrongKind(member.value, at: memberPlace, expected: #"a string or {"from_file": "/path"}"#) }
            environment[member.name] = .file(path)
        }
        return environment
    }

    private mutating func standardInput() throws(TaskFault) -> StandardInput? {
        guard let value = fields.take("stdin") else { return nil }
        if let text = value.string { return .text(text) }
        var inner = try FieldReader(value, at: fields.path.appending("stdin"), expected: #"text or {"file": "/path"}"#)
        let path = try inner.take("file", expected: "an absolute path") { $0.string.flatMap { $0.hasPrefix("/") ? $0 : nil } }
        try inner.finish()
        guard let path else { throw FieldReader.wrongKind(value, at: inner.path, expected: #"text or {"file": "/path"}"#) }
        return .file(path)
    }

    private mutating func limits() throws(TaskFault) -> Limits? {
        guard let value = fields.take("limits") else { return nil }
        var inner = try FieldReader(value, at: fields.path.appending("limits"), expected: "an object of limits")
        var limits = Limits()
        limits.memory = try inner.take("memory", expected: "bytes, such as 536870912 or \"512M\"", ByteCount.read)
        limits.cpuSeconds = try inner.integer("cpu_seconds", in: 1...1_000_000_000).map(Int64.init)
        limits.openFiles = try inner.integer("open_files", in: 8...10_000_000).map(Int64.init)
        limits.processes = try inner.integer("processes", in: 1...10_000_000).map(Int64.init)
        limits.logBytes = try inner.take("log_bytes", expected: "at least 4096 bytes, such as 1048576 or \"1M\"") { value in
            ByteCount.read(value).flatMap { $0 >= 4096 ? $0 : nil }
        }
        try inner.finish()
        return limits
    }
}
