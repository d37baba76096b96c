/// What is said to an agent: text and other content, to a session or to an agent that runs once.
public struct Prompt: Sendable, Equatable {
    public enum Target: Sendable, Equatable {
        /// A turn in a session.
        case session(String)
        /// One run of an agent, without a conversation that lasts.
        case agent(String)
    }

    public var content: [ContentBlock]
    /// What people are shown instead of the content.
    public var display: String?
    public var target: Target

    public init(_ content: [ContentBlock], display: String? = nil, target: Target) {
        self.content = content
        self.display = display
        self.target = target
    }

    public var session: String? { if case .session(let name) = target { name } else { nil } }
    public var agent: String? { if case .agent(let name) = target { name } else { nil } }

    /// The content as text: what is not text is named.
    public var text: String { content.map(\.text).joined(separator: "\n") }
}

/// A piece of a prompt, as the Agent Client Protocol (version 1) has it.
public enum ContentBlock: Sendable, Equatable {
    case text(String)
    /// `data` is Base64.
    case image(data: String, mimeType: String)
    case resourceLink(uri: String, name: String)

    public var json: JSON {
        switch self {
        case .text(let text): ["type": "text", "text": .string(text)]
        case .image(let data, let type): ["type": "image", "data": .string(data), "mimeType": .string(type)]
        case .resourceLink(let uri, let name): ["type": "resource_link", "uri": .string(uri), "name": .string(name)]
        }
    }

    /// For agents that take text only, and for people.
    public var text: String {
        switch self {
        case .text(let text): text
        case .image(let data, let type): "[image: \(type), \(data.utf8.count * 3 / 4) bytes]"
        case .resourceLink(let uri, let name): "[\(name)](\(uri))"
        }
    }

    static let expected = "a text, or an array of {\"type\": \"text\"…}, {\"type\": \"image\"…} and {\"type\": \"resource_link\"…}"
    static let most = 100

    /// Reads the value of `prompt`: a text, or an array of blocks.
    static func readAll(_ value: JSON, at place: JSONPath) throws(TaskFault) -> [ContentBlock] {
        if let text = value.string {
            try checkText(text, at: place)
            return [.text(text)]
        }
        guard let elements = value.array, (1...most).contains(elements.count) else {
            throw FieldReader.wrongKind(value, at: place, expected: expected)
        }
        var blocks: [ContentBlock] = []
        for (index, element) in elements.enumerated() { blocks.append(try read(element, at: place.appending(index))) }
        return blocks
    }

    private static func checkText(_ text: String, at place: JSONPath) throws(TaskFault) {
        guard !text.isEmpty else { throw TaskFault("bad_value", "\(place) is empty", at: place, expected: "what to say to the agent") }
        guard !text.utf8.contains(0) else {
            throw TaskFault("bad_value", "\(place) contains a NUL", at: place, expected: "text without \\u0000")
        }
    }

    private enum Kind: String, CaseIterable { case text, image, resource_link }

    private static func read(_ value: JSON, at place: JSONPath) throws(TaskFault) -> ContentBlock {
        if let text = value.string {
            try checkText(text, at: place)
            return .text(text)
        }
        var fields = try FieldReader(value, at: place, expected: "a content block")
        guard let kind = try fields.choice("type", Kind.self) else {
            throw TaskFault("missing_field", "\(place) has no \"type\"", at: place, expected: "text, image or resource_link")
        }
        func need<Value>(_ name: String, _ value: Value?) throws(TaskFault) -> Value {
            guard let value else { throw TaskFault("missing_field", "\(place) has no \"\(name)\"", at: place, expected: "\"\(name)\"") }
            return value
        }
        let block: ContentBlock
        switch kind {
        case .text:
            let text = try need("text", try fields.take("text", expected: "a text") { $0.string })
            try checkText(text, at: place.appending("text"))
            block = .text(text)
        case .image:
            let data = try need("data", try fields.take("data", expected: "the image in Base64") { $0.string.flatMap(base64) })
            let type = try need("mimeType", try fields.take("mimeType", expected: "such as \"image/png\"") { value in
                value.string.flatMap { $0.hasPrefix("image/") && $0.utf8.count <= 100 ? $0 : nil }
            })
            block = .image(data: data, mimeType: type)
        case .resource_link:
            let uri = try need("uri", try fields.string("uri"))
            block = .resourceLink(uri: uri, name: try fields.string("name") ?? uri)
        }
        try fields.finish(synonyms: ["mime_type": "mimeType", "mime": "mimeType", "url": "uri"])
        return block
    }

    private static func base64(_ text: String) -> String? {
        let isBase64 = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): true
            default: false
            }
        }
        return isBase64 && !text.isEmpty && text.utf8.count % 4 == 0 ? text : nil
    }
}
