@testable import SpoolFormat

/// Makes tasks at random: valid ones, or ones with something wrong at some places.
struct RandomTasks {
    var random: SeededGenerator
    /// How many of a hundred values are taken from the wrong ones.
    var wrong = 0

    init(seed: UInt64, wrong: Int = 0) {
        random = SeededGenerator(state: seed)
        self.wrong = wrong
    }

    mutating func task(isElement: Bool = false, of count: Int = 1) -> JSON {
        var object = JSONObject()
        let isTurn = chance(20)
        let isWork = !isTurn && (isElement || chance(70))
        if isTurn {
            let (verb, fields) = (isElement ? Self.turns : Self.turns + Self.sayings).randomElement(using: &random)!
            object[verb] = value([Self.said[verb] ?? "coder"])
            for (name, right) in fields where name == "session" || name == "agent" || chance(40) { object[name] = value([right]) }
        } else if isWork {
            object["run"] = value([
                ["make", "all"], "make all", ["printf", "", "é😀\n\t\\\""], ["a"], ["/bin/true", "--x=1"],
            ])
        } else if chance(30) {
            let number = Int.random(in: 1...4, using: &random)
            object["tasks"] = .array((0..<number).map { _ in task(isElement: true, of: number) })
        } else {
            let verb = ControlVerb.allCases.randomElement(using: &random)!.rawValue
            object[verb] = value([
                "lint-42", ["queue": "builds"], ["label": "a=b=c"], ["label": ["a": "b", "ü": ""]], "a", ["label": "pr="],
            ])
        }
        if isElement, chance(40) { object["id"] = value(["a", "B.c_d-9", "0"]) }
        if chance(wrong) { object[["cancel", "run", "prompt", "tasks", "id", "x"].randomElement(using: &random)!] = value(["a"]) }
        for (name, values) in Self.common where chance(30) { object[name] = value(values) }
        if isWork || chance(wrong) {
            for (name, values) in Self.work where chance(15) { object[name] = value(values) }
            if wrong == 0 {
                if object["not_before"] != nil { object["delay"] = nil }
                if object["expires_at"] != nil { object["expires_in"] = nil }
            }
            if isElement, count > 1, chance(30) { object["after"] = value([[0], [1, "x"], ["a", 0]]) }
        }
        if chance(wrong) { object[["timout", "Env", "", "labels ", "nice"].randomElement(using: &random)!] = 1 }
        var members = object.members
        members.shuffle(using: &random)
        var shuffled = JSONObject()
        for (name, value) in members { shuffled[name] = value }
        return .object(shuffled)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func value(_ right: [JSON]) -> JSON {
        let value = right.randomElement(using: &random)!
        guard chance(wrong) else { return value }
        // Wrong as a whole, or somewhere inside.
        switch value {
        case .object(var object) where chance(60):
            let name = object.names.randomElement(using: &random) ?? "x"
            object[chance(20) ? "from_file" : name] = chance(10) ? nil : self.value(Self.wrongValues)
            return .object(object)
        case .array(var elements) where chance(60) && !elements.isEmpty:
            elements[Int.random(in: elements.indices, using: &random)] = self.value(Self.wrongValues)
            return .array(elements)
        default: return Self.wrongValues.randomElement(using: &random)!
        }
    }

    /// Verbs that are said to sessions and agents, and fields that go with them.
    static let turns: [(verb: String, fields: [String: JSON])] = [
        ("prompt", ["session": "coder", "display": "short", "priority": 5, "retries": 1, "notify": "boss"]),
        ("prompt", ["agent": "reviewer", "queue": "reviews", "cwd": "/srv", "env": ["A": "b"]]),
        ("wake", ["reason": "red", "mode": "interrupt_if_waiting", "delay": "5m"]),
    ]
    static let sayings: [(verb: String, fields: [String: JSON])] =
        [
            ("note", ["session": "coder"]), ("answer", ["session": "coder"]), ("lock", ["reason": "why", "hint": "how"]),
            ("restart", ["fresh": true, "reason": "why"]), ("open", [:]),
            ("open", ["agent": "claude", "role": "coordinator", "coordinates": ["queues": ["a"], "labels": ["b": "c"]], "pending": 3, "model": "m"]),
        ] + ["stop", "interrupt", "pause", "resume", "unlock"].map { ($0, ["reason": "why"]) }
    static let said: [String: JSON] = [
        "prompt": ["a", ["type": "text", "text": "b"], ["type": "resource_link", "uri": "file:///c"]], "note": "a b", "answer": "yes",
    ]

    static let common: KeyValuePairs<String, [JSON]> = [
        "labels": [["pr": "42"], [:], ["a": "", "b.c/d": "=", "ü": "ö"]],
        "parent": ["lint-42", "a"],
    ]

    static let work: KeyValuePairs<String, [JSON]> = [
        "queue": ["default", "a.b-c_d", "9"],
        "priority": ["low", "medium", "high", "urgent", 0, 100, -100, .double(5)],
        "key": ["k", "a b", "ü/ä"],
        "on_duplicate": ["drop", "replace", "queue"],
        "after": ["a", ["a", "b"], []],
        "after_failed": ["fail", "run"],
        "not_before": ["2026-11-21T22:00:00Z", "2026-01-02T03:04:05.678+09:30", "0001-01-01t00:00:00z"],
        "delay": ["0s", "5m", "1.25h", "1d2h3m4s5ms"],
        "expires_at": ["2036-11-21T22:00:00Z", "9999-12-31 23:59:60Z"],
        "expires_in": ["30d", "36500d", "10h"],
        "timeout": ["1ms", "90s", "1h30m", "0.5s"],
        "grace": ["0s", "10s"],
        "retries": [0, 1, 1000, .double(3)],
        "backoff": [
            [:], ["base": "5s"], ["base": "1h", "factor": .double(1.5), "max": "2h", "jitter": 0],
            ["factor": 100, "jitter": .double(0.25)],
        ],
        "cwd": ["/", "/tmp/a b/ü"],
        "env": [[:], ["A": "b"], ["A": ["from_file": "/run/secret"], "B c": "\n", "ü": "="]],
        "stdin": ["", "text\n", ["file": "/etc/hosts"], "\u{0}"],
        "on_crash": ["rerun", "fail"],
        "notify": ["boss", [], ["a", "b"]],
        "reply_to": ["/srv/a.json"],
        "limits": [
            [:], ["memory": "512M", "log_bytes": "4K"], ["memory": 1, "cpu_seconds": 1, "open_files": 8, "processes": 1],
            ["log_bytes": 4096], ["memory": .int(.max)],
        ],
    ]

    static let wrongValues: [JSON] = [
        .null, true, false, 0, 1, -1, 5, 101, 1001, 4095, .double(1.5), .double(0.5), .double(1e300), .double(1e18), "", "a", "5s", "0s", "0.0m",
        "0ms", "5", "1h1h", "1s1m", "1.s", "36501d0h", "/", "/a", "a/b", "a.json", ".a", "é", "Drop", "drop", "high", "fail", "run",
        "2026-11-21", "2026-11-21T10:00:00", "2026-13-21T10:00:00Z", "2026-11-21T10:60:00Z", "2026-11-21T10:00:00+24:00", "a=", "=a",
        "=", "a=b", "3K", "4K", "0M", "1000000K", "10P", "\u{0}", "a\u{0}b", [], [""], ["a"], [1], [-1], [[]], [:],
        ["a": "b"], ["": "x"], ["a": 1], ["a=b": "c"], ["file": "/a"], ["from_file": "/a"], ["file": "a"], ["queue": "a"],
        ["queue": "a", "label": ["b": "c"]], ["label": [:]], ["label": "x"], ["base": "0s"], ["factor": 0], ["run": "a"], [["run": "a"]],
        .string(String(repeating: "x", count: 129)), .string(String(repeating: "x", count: 513)),
        .string(String(repeating: "x", count: 4097)), .string("/" + String(repeating: "x", count: 4095)),
    ]
}
