/// `config/queues/<name>.json`: how a queue works and what it takes. What is not said is `nil`, and the default holds.
public struct QueueConfiguration: Sendable, Equatable {
    /// What a queue takes. A list that is not given allows everything; an empty one allows nothing.
    public struct Accept: Sendable, Equatable {
        public var verbs: [String]?
        public var agents: [String]?
        /// Who may drop, by the owner of the dropped file.
        public var uids: [UInt32]?

        public init(verbs: [String]? = nil, agents: [String]? = nil, uids: [UInt32]? = nil) {
            self.verbs = verbs
            self.agents = agents
            self.uids = uids
        }
    }

    /// How many jobs run at once; 0 takes jobs in and starts none.
    public var slots: Int?
    /// Options for tasks that do not give them.
    public var defaults = TaskOptions()
    public var accept: Accept?
    /// Added to the environment of every job, below the task's own.
    public var environment: [String: EnvironmentValue] = [:]
    /// How long, and how many, finished jobs are kept before they go to the archive.
    public var keepTime: TimeSpan?
    public var keepCount: Int?
    /// Directories within which `reply_to` may write.
    public var replyRoots: [String] = []
    /// The mode and the group of `inbox/<queue>/`.
    public var mode: UInt32?
    public var group: String?

    public init() {}

    static let mostSlots = 100_000
    static let mostKept = 1_000_000_000
    static let mostEntries = 1000
    static let longestGroup = 64
    static let largestUID = Int(UInt32.max) - 1

    /// - Throws: `TaskFault`, whose path says which field is at fault.
    public static func read(_ value: JSON) throws(TaskFault) -> QueueConfiguration {
        var fields = try FieldReader(value, at: JSONPath(), expected: "a JSON object that describes a queue")
        var queue = QueueConfiguration()
        queue.slots = try fields.integer("slots", in: 0...mostSlots)
        if let value = fields.take("defaults") {
            queue.defaults = try TaskReader.readOptions(value, at: fields.path.appending("defaults"))
        }
        queue.accept = try accept(&fields)
        if let value = fields.take("env") {
            queue.environment = try TaskReader.environment(value, at: fields.path.appending("env"))
        }
        if let value = fields.take("keep") {
            var keep = try FieldReader(value, at: fields.path.appending("keep"), expected: "an object with time and count")
            queue.keepTime = try keep.span("time")
            queue.keepCount = try keep.integer("count", in: 0...mostKept)
            try keep.finish()
        }
        queue.replyRoots = try fields.list("reply_roots", maximumCount: mostEntries, expected: "an absolute path") { value in
            value.string.flatMap { AbsolutePath.check($0) }
        } ?? []
        queue.mode = try fields.take("mode", expected: "an octal mode in quotes, such as \"0700\" or \"1733\"", hint: { value in
            value.int.map { "write \"\($0)\", in quotes" }
        }) { $0.string.flatMap(mode) }
        queue.group = try fields.take("group", expected: "the name of a group") { $0.string.flatMap(groupName) }
        try fields.finish()
        return queue
    }

    private static func accept(_ fields: inout FieldReader) throws(TaskFault) -> Accept? {
        guard let value = fields.take("accept") else { return nil }
        var inner = try FieldReader(
            value, at: fields.path.appending("accept"), expected: "an object with verbs, agents, uids")
        let words = Verb.names + Verb.unsupported
        let verbs = try inner.list(
            "verbs", maximumCount: mostEntries, expected: "a verb: one of " + words.joined(separator: ", "),
            hint: { value in value.string.flatMap { nearest(to: $0, among: words) }.map { "did you mean \"\($0)\"?" } }
        ) { value in value.string.flatMap { words.contains($0) ? $0 : nil } }
        let agents = try inner.list("agents", maximumCount: mostEntries, expected: "the name of an agent") { value in
            value.string.flatMap(QueueName.check)
        }
        let uids = try inner.list("uids", maximumCount: mostEntries, expected: "the number of a user") { value in
            value.int.flatMap { (0...largestUID).contains($0) ? UInt32($0) : nil }
        }
        try inner.finish()
        return Accept(verbs: verbs, agents: agents, uids: uids)
    }

    /// Three or four octal digits.
    private static func mode(_ text: String) -> UInt32? {
        guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
        return UInt32(text, radix: 8)
    }

    private static func groupName(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
            default: false
            }
        }
        return isPlain && (1...longestGroup).contains(text.utf8.count) && !text.hasPrefix("-") ? text : nil
    }
}
