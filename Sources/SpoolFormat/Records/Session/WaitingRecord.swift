/// `sessions/<name>/waiting.json`: what a session waits for. It is there only as long as it waits.
public struct WaitingRecord: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// The agent asks whether it may do something.
        case permission
        case question
    }

    public struct Option: Sendable, Equatable {
        public var id: String
        public var name: String
        /// `allow_once`, `allow_always`, `reject_once`, `reject_always`; `nil` where it is none of these.
        public var kind: String?

        public init(id: String, name: String, kind: String?) {
            self.id = id
            self.name = name
            self.kind = kind
        }
    }

    public var kind: Kind
    /// The turn's job.
    public var job: String
    /// Which of the turn's requests it is; the answer says to which it was given.
    public var request: Int?
    /// What is asked, for people.
    public var message: String
    /// What the answer can be; empty where any text can.
    public var options: [Option]
    /// What the agent would do, as it says it.
    public var tool: JSON?
    public var since: Timestamp

    public init(_ kind: Kind, job: String, message: String, options: [Option] = [], tool: JSON? = nil, since: Timestamp = .now) {
        self.kind = kind
        self.job = job
        self.message = message
        self.options = options
        self.tool = tool
        self.since = since
    }

    public var json: JSON {
        var object: JSONObject = [
            "kind": .string(kind.rawValue), "job": .string(job), "message": .string(message), "since": .string(since.description),
        ]
        object["options"] = options.isEmpty ? nil : .array(options.map { option in
            var object: JSONObject = ["id": .string(option.id), "name": .string(option.name)]
            object["kind"] = .optional(option.kind)
            return .object(object)
        })
        object["request"] = .optional(request)
        object["tool"] = tool
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let kind = value["kind"]?.string.flatMap(Kind.init), let job = value["job"]?.string,
            let message = value["message"]?.string, let since = value["since"]?.string.flatMap(Timestamp.init)
        else { return nil }
        let options = (value["options"]?.array ?? []).compactMap { option -> Option? in
            guard let id = option["id"]?.string, let name = option["name"]?.string else { return nil }
            return Option(id: id, name: name, kind: option["kind"]?.string)
        }
        self.init(kind, job: job, message: message, options: options, tool: value["tool"], since: since)
        request = value["request"]?.int
    }

    /// The option that an answer means: by its id, its kind or its name; `allow` and `reject` (`yes`, `no`) are the kinds that
    /// hold once. `nil` where there is none such.
    public func option(for answer: String) -> Option? {
        let word = answer.lowercased()
        let kinds = ["allow": "allow_once", "yes": "allow_once", "y": "allow_once", "reject": "reject_once", "no": "reject_once", "n": "reject_once"]
        return options.first { $0.id == answer } ?? options.first { $0.kind == kinds[word] ?? word }
            ?? options.first { $0.name.lowercased() == word }
    }
}
