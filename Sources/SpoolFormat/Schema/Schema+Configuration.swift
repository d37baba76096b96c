// The schemas of configuration files.
extension Schema {
    static let queueConfiguration = closed([
        "slots": described(integer(0...QueueConfiguration.mostSlots), "how many jobs run at once"),
        "defaults": described(reference("options"), "options for tasks that do not give them"),
        "accept": closed(
            [
                "verbs": list(words(Verb.names + Verb.unsupported)), "agents": list(reference("queue_name")),
                "uids": list(integer(0...QueueConfiguration.largestUID)),
            ], description: "what the queue takes; a list that is not given allows everything"),
        "env": reference("environment"),
        "keep": closed(["time": reference("duration"), "count": integer(0...QueueConfiguration.mostKept)]),
        "reply_roots": list(reference("absolute_path")),
        "mode": described(["type": "string", "pattern": "^[0-7]{3,4}$"], "the mode of the inbox, in octal"),
        "group": text(from: 1, to: QueueConfiguration.longestGroup, pattern: "^[A-Za-z0-9_.][A-Za-z0-9_.-]*$"),
    ])

    static let scheduleConfiguration = closed(
        [
            "cron": text(from: 1, to: ScheduleConfiguration.longestCron),
            "every": reference("some_duration"),
            "timezone": text(
                from: 1, to: ScheduleConfiguration.longestTimezone, pattern: "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"),
            "task": reference("task"),
            "queue": reference("queue_name"),
            "missed": described(word(MissedPolicy.self), "once"),
        ], required: ["task"], ["oneOf": [["required": ["cron"]], ["required": ["every"]]]])

    private static func list(_ element: JSON) -> JSON { array(of: element, to: QueueConfiguration.mostEntries) }
}
