/// What becomes of the times at which a schedule should have fired while the daemon was not there.
public enum MissedPolicy: String, Sendable, CaseIterable {
    /// Nothing; the next time counts.
    case skip
    /// One task for all of them.
    case once
    /// A task for each of them.
    case all
}

/// `config/schedules/<name>.json`: a task and the times at which it is dropped.
///
/// Exactly one of `cron` and `every` is given. The text of `cron` and the name of the time zone are read by whoever
/// computes the times; here they have only the right form.
public struct ScheduleConfiguration: Sendable, Equatable {
    public var cron: String?
    public var every: TimeSpan?
    public var timezone: String?
    /// The whole task file, as it will be dropped; `TaskReader` has accepted it.
    public var task: JSON
    public var queue: String?
    public var missed: MissedPolicy

    public init(
        cron: String? = nil, every: TimeSpan? = nil, timezone: String? = nil, task: JSON, queue: String? = nil,
        missed: MissedPolicy = .once
    ) {
        self.cron = cron
        self.every = every
        self.timezone = timezone
        self.task = task
        self.queue = queue
        self.missed = missed
    }

    static let longestCron = 256
    static let longestTimezone = 128
    static let shortestEvery = TimeSpan.seconds(1)

    /// - Throws: `TaskFault`, whose path says which field is at fault.
    public static func read(_ value: JSON) throws(TaskFault) -> ScheduleConfiguration {
        var fields = try FieldReader(value, at: JSONPath(), expected: "a JSON object that describes a schedule")
        let cron = try fields.string("cron", maximumBytes: longestCron)
        let every = try fields.span("every", atLeast: shortestEvery)
        let timezone = try fields.take("timezone", expected: "the name of a time zone, such as \"UTC\" or \"Europe/Berlin\"") {
            $0.string.flatMap(timezoneName)
        }
        let task = fields.take("task")
        if let task { _ = try TaskReader.read(task, at: fields.path.appending("task"), isElement: false) }
        let queue = try fields.take("queue", expected: QueueName.expected) { $0.string.flatMap(QueueName.check) }
        let missed = try fields.choice("missed", MissedPolicy.self) ?? .once
        try fields.finish()
        if cron != nil, every != nil {
            throw TaskFault(
                "field_not_allowed", "\"cron\" and \"every\" are both given; a schedule has exactly one",
                at: fields.path.appending("every"), isAtName: true, expected: "one of the two")
        }
        guard cron != nil || every != nil else {
            throw TaskFault(
                "missing_field", "the schedule has neither \"cron\" nor \"every\"", at: fields.path,
                expected: "one of the two", hint: #"write "every": "1h" or "cron": "0 3 * * *""#)
        }
        guard let task else {
            throw TaskFault(
                "missing_field", "the schedule has no \"task\"", at: fields.path, expected: "a task",
                hint: #"write "task": {"run": ["program", "argument"]}"#)
        }
        return ScheduleConfiguration(
            cron: cron, every: every, timezone: timezone, task: task, queue: queue, missed: missed)
    }

    /// Words of letters, digits, `_`, `+` and `-`, with slashes between them: a name that stays within the directory
    /// of time zones.
    private static func timezoneName(_ text: String) -> String? {
        guard (1...longestTimezone).contains(text.utf8.count) else { return nil }
        let words = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isName = words.allSatisfy { word in
            !word.isEmpty && word.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
                default: false
                }
            }
        }
        return isName ? text : nil
    }
}
