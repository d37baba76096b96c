// The options of a task, field by field.
extension TaskReader {
    static let commonFields = ["labels", "parent"]
    static let workFields = [
        "queue", "priority", "key", "on_duplicate", "after", "after_failed", "not_before", "delay", "expires_at",
        "expires_in", "timeout", "grace", "retries", "backoff", "cwd", "env", "stdin", "on_crash", "reply_to", "limits",
        "notify",
    ]
    static let unsupportedFields = ["budget", "worktree", "commit"]

    /// What other programs call a field.
    static let fieldSynonyms = [
        "depends_on": "after", "dependson": "after", "depends": "after", "dependencies": "after", "needs": "after",
        "requires": "after", "environment": "env", "env_vars": "env", "variables": "env", "dir": "cwd", "directory": "cwd",
        "workdir": "cwd", "working_dir": "cwd", "working_directory": "cwd", "chdir": "cwd", "time_limit": "timeout",
        "max_time": "timeout", "deadline": "expires_at", "max_retries": "retries", "tries": "retries",
        "attempts": "retries", "max_attempts": "retries", "tags": "labels", "meta": "labels", "metadata": "labels",
        "input": "stdin", "ttl": "expires_in", "expires": "expires_at", "expiry": "expires_at", "at": "not_before",
        "start_at": "not_before", "run_at": "not_before", "scheduled_at": "not_before", "wait": "delay", "in": "delay",
        "unique": "key", "unique_key": "key", "dedupe_key": "key", "dedup_key": "key", "idempotency_key": "key",
        "prio": "priority", "nice": "priority", "output": "reply_to", "result": "reply_to", "kill_after": "grace",
        "resources": "limits", "rlimits": "limits", "name": "id",
    ]

    /// What other programs call a verb.
    static let verbSynonyms = [
        "exec": "run", "execute": "run", "command": "run", "cmd": "run", "argv": "run", "args": "run", "script": "run",
        "shell": "run", "sh": "run", "program": "run", "start": "run", "spawn": "run", "jobs": "tasks", "batch": "tasks",
        "steps": "tasks", "kill": "cancel", "abort": "cancel", "delete": "cancel", "remove": "cancel", "rerun": "retry",
        "requeue": "retry", "unhold": "release",
        "message": "prompt", "ask": "prompt", "say": "prompt", "chat": "prompt", "notify": "wake", "respond": "answer", "reply": "answer",
    ]

    mutating func commonOptions() throws(TaskFault) -> TaskOptions {
        var options = TaskOptions()
        options.labels = try fields.stringMap("labels", maximumCount: isRecord ? .max : Bounds.labels)
        options.parent = try jobID("parent")
        return options
    }

    mutating func workOptions() throws(TaskFault) -> TaskOptions {
        var options = try commonOptions()
        options.queue = try fields.take("queue", expected: QueueName.expected) { $0.string.flatMap(QueueName.check) }
        options.priority = try priority()
        options.key = try key()
        options.onDuplicate = try fields.choice("on_duplicate", DuplicatePolicy.self)
        options.after = try after()
        options.afterFailed = try fields.choice("after_failed", FailedDependencyPolicy.self)
        options.notBefore = try fields.time("not_before")
        options.delay = try fields.span("delay")
        options.expiresAt = try fields.time("expires_at")
        options.expiresIn = try fields.span("expires_in")
        try exclude("not_before", options.notBefore != nil, "delay", options.delay != nil)
        try exclude("expires_at", options.expiresAt != nil, "expires_in", options.expiresIn != nil)
        if !isRecord { try checkOrder(options) }
        options.timeout = try fields.span("timeout", atLeast: Bounds.shortestTimeout)
        options.grace = try fields.span("grace")
        options.retries = try fields.integer("retries", in: Bounds.retries)
        options.backoff = try backoff()
        options.cwd = try absolutePath("cwd")
        options.env = try environment()
        options.stdin = try standardInput()
        options.onCrash = try fields.choice("on_crash", CrashPolicy.self)
        options.replyTo = try absolutePath("reply_to")
        options.limits = try limits()
        options.notify = try notify()
        return options
    }

    private func exclude(_ one: String, _ hasOne: Bool, _ other: String, _ hasOther: Bool) throws(TaskFault) {
        guard hasOne && hasOther else { return }
        throw TaskFault(
            "field_not_allowed", "\"\(one)\" and \"\(other)\" say the same thing twice",
            at: fields.path.appending(other), isAtName: true, expected: "one of the two")
    }

    /// A task that would have expired before it may start says two things that can't both be meant.
    private func checkOrder(_ options: TaskOptions) throws(TaskFault) {
        let contradiction: (String, String)? =
            if let start = options.notBefore, let end = options.expiresAt, end <= start { ("expires_at", "not_before") }
            else if let delay = options.delay, let span = options.expiresIn, span <= delay { ("expires_in", "delay") }
            else { nil }
        guard let (end, start) = contradiction else { return }
        let place = fields.path.appending(end)
        throw TaskFault(
            "bad_value", "\(place) is not after \(fields.path.appending(start)): the task would expire before it may start",
            at: place, expected: "a later time")
    }

    private mutating func key() throws(TaskFault) -> String? {
        let key = try fields.string("key", maximumBytes: Bounds.key)
        if let key, !isRecord, key.hasPrefix("wake:") || key.hasPrefix("process:") {
            throw TaskFault(
                "bad_value", "keys that begin with \"wake:\" or \"process:\" are those of sessions", at: fields.path.appending("key"),
                expected: "another key")
        }
        return key
    }

    private mutating func priority() throws(TaskFault) -> Int? {
        let bounds = Bounds.priority
        let words = Priority.numbers.lazy.map(\.key)
        return try fields.take(
            "priority",
            expected: words.map { "\"\($0)\"" }.joined(separator: ", ")
                + " or a whole number from \(bounds.lowerBound) to \(bounds.upperBound)",
            hint: { value in
                guard let text = value.string else { return nil }
                if let number = Int(text), bounds.contains(number) { return "write the number without quotes" }
                return nearest(to: text, among: words).map { "did you mean \"\($0)\"?" }
            }
        ) { value in
            if let number = value.int { return bounds.contains(number) ? number : nil }
            return value.string.flatMap { text in Priority.numbers.first { sameBytes($0.key, text) }?.value }
        }
    }

    private mutating func after() throws(TaskFault) -> [Dependency]? {
        guard let value = fields.take("after") else { return nil }
        let place = fields.path.appending("after")
        let what = isElement ? "ids, keys or positions" : "ids or keys"
        guard let values = value.array ?? value.string.map({ [.string($0)] }), values.count <= Bounds.dependencies else {
            throw FieldReader.wrongKind(value, at: place, expected: "an array of at most \(Bounds.dependencies) \(what) of jobs")
        }
        var dependencies: [Dependency] = []
        for (index, element) in values.enumerated() {
            if let text = element.string, (1...Bounds.key).contains(text.utf8.count), !text.utf8.contains(0) {
                dependencies.append(.name(text))
            } else if isElement, let position = element.int, position >= 0 {
                dependencies.append(.position(position))
            } else {
                var fault = FieldReader.wrongKind(
                    element, at: value.array == nil ? place : place.appending(index), expected: "one of the \(what) of jobs")
                if element.int != nil { fault.hint = "positions count from 0, within \"tasks\" only" }
                throw fault
            }
        }
        return dependencies
    }

    private mutating func backoff() throws(TaskFault) -> Backoff? {
        guard let value = fields.take("backoff") else { return nil }
        var inner = try FieldReader(value, at: fields.path.appending("backoff"), expected: "an object with base, factor, max, jitter")
        var backoff = Backoff()
        backoff.base = try inner.span("base") ?? backoff.base
        backoff.factor = try inner.number("factor", in: Bounds.backoffFactor) ?? backoff.factor
        backoff.max = try inner.span("max") ?? max(backoff.max, backoff.base)
        backoff.jitter = try inner.number("jitter", in: Bounds.backoffJitter) ?? backoff.jitter
        try inner.finish()
        guard backoff.max >= backoff.base else {
            let place = inner.path.appending("max")
            throw TaskFault(
                "bad_value", "\(place) is \(backoff.max), less than \(inner.path.appending("base")), \(backoff.base)", at: place,
                expected: "at least as long as base")
        }
        return backoff
    }

    private mutating func absolutePath(_ name: String) throws(TaskFault) -> String? {
        try fields.take(name, expected: "an absolute path") { value in
            value.string.flatMap(AbsolutePath.check)
        }
    }

    private mutating func environment() throws(TaskFault) -> [String: EnvironmentValue]? {
        guard let value = fields.take("env") else { return nil }
        let count = isRecord ? Int.max : Bounds.environment
        return try Self.environment(value, at: fields.path.appending("env"), maximumCount: count)
    }

    /// Reads an environment: names to text or `{"from_file": path}`. Queues have one too.
    public static func environment(
        _ value: JSON, at place: JSONPath, maximumCount: Int = 1000
    ) throws(TaskFault) -> [String: EnvironmentValue] {
        guard let object = value.object, object.count <= maximumCount else {
            throw FieldReader.wrongKind(value, at: place, expected: "an object of at most \(maximumCount) environment variables")
        }
        var environment: [String: EnvironmentValue] = [:]
        for member in object.members {
            let memberPlace = place.appending(member.name)
            guard (1...Bounds.mapName).contains(member.name.utf8.count), !member.name.utf8.contains(UInt8(ascii: "=")),
                !member.name.utf8.contains(0)
            else {
                throw TaskFault(
                    "bad_value", "\(JSONPath.quoted(member.name)) can't name an environment variable", at: memberPlace,
                    isAtName: true, expected: "a name of 1 to \(Bounds.mapName) bytes without = and NUL")
            }
            guard environment[member.name] == nil else { throw FieldReader.sameName(member.name, at: memberPlace) }
            environment[member.name] = try environmentValue(member.value, at: memberPlace)
        }
        return environment
    }

    private static func environmentValue(_ value: JSON, at place: JSONPath) throws(TaskFault) -> EnvironmentValue {
        let expected = #"a string or {"from_file": "/path"}"#
        if let text = value.string {
            guard !text.utf8.contains(0), text.utf8.count <= Bounds.argument else {
                throw FieldReader.wrongKind(value, at: place, expected: "a string of at most \(Bounds.argument) bytes without NUL")
            }
            return .text(text)
        }
        guard value.object != nil else {
            var fault = FieldReader.wrongKind(value, at: place, expected: expected)
            if value.double != nil || value.bool != nil { fault.hint = "write \"\(FieldReader.words(value))\", in quotes" }
            throw fault
        }
        var inner = try FieldReader(value, at: place, expected: expected)
        let path = try inner.take("from_file", expected: "an absolute path") { $0.string.flatMap(AbsolutePath.check) }
        try inner.finish(synonyms: ["file": "from_file"])
        guard let path else { throw FieldReader.wrongKind(value, at: place, expected: expected) }
        return .file(path)
    }

    private mutating func standardInput() throws(TaskFault) -> StandardInput? {
        guard let value = fields.take("stdin") else { return nil }
        if let text = value.string { return .text(text) }
        var inner = try FieldReader(value, at: fields.path.appending("stdin"), expected: #"text or {"file": "/path"}"#)
        let path = try inner.take("file", expected: "an absolute path") { $0.string.flatMap(AbsolutePath.check) }
        try inner.finish()
        guard let path else { throw FieldReader.wrongKind(value, at: inner.path, expected: #"text or {"file": "/path"}"#) }
        return .file(path)
    }

    private mutating func limits() throws(TaskFault) -> Limits? {
        guard let value = fields.take("limits") else { return nil }
        var inner = try FieldReader(value, at: fields.path.appending("limits"), expected: "an object of limits")
        var limits = Limits()
        limits.memory = try inner.take("memory", expected: "bytes, such as 536870912 or \"512M\"", ByteCount.read)
        limits.cpuSeconds = try inner.integer("cpu_seconds", in: Bounds.cpuSeconds).map(Int64.init)
        limits.openFiles = try inner.integer("open_files", in: Bounds.openFiles).map(Int64.init)
        limits.processes = try inner.integer("processes", in: Bounds.processes).map(Int64.init)
        limits.logBytes = try inner.take("log_bytes", expected: "at least \(Bounds.leastLog) bytes, such as 1048576 or \"1M\"") { value in
            ByteCount.read(value).flatMap { $0 >= Bounds.leastLog ? $0 : nil }
        }
        try inner.finish()
        return limits
    }
}
