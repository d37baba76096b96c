/// `rejected/<name>.error.json`: why a dropped file was not taken, where in it, and what to write instead.
public struct RejectionRecord: Sendable, Equatable {
    public var code: String
    public var message: String
    public var file: String
    public var position: TextPosition?
    public var field: String?
    public var expected: String?
    public var hint: String?
    public var at: Timestamp

    public init(code: String, message: String, file: String, position: TextPosition? = nil, field: String? = nil, expected: String? = nil, hint: String? = nil, at: Timestamp = .now) {
        self.code = code
        self.message = message
        self.file = file
        self.position = position
        self.field = field
        self.expected = expected
        self.hint = hint
        self.at = at
    }

    /// What the strict reader found.
    public init(_ fault: JSONFault, file: String) {
        let found = fault.found.map { ", not \($0)" } ?? ""
        let message: String =
            switch fault.code {
            case .empty: "the file is empty"
            case .unexpectedEnd: "the file ends where \(fault.expected) should be"
            case .duplicateName: "\(fault.path) is given twice"
            case .tooDeep: "the file is nested deeper than \(JSONReader.maximumDepth) levels"
            default: "expected \(fault.expected)\(found)"
            }
        self.init(
            code: fault.code.rawValue, message: message, file: file, position: fault.position,
            field: fault.path.steps.isEmpty ? nil : fault.path.description, expected: fault.expected,
            hint: Self.hint(for: fault.code))
    }

    private static func hint(for code: JSONFault.Code) -> String? {
        switch code {
        case .comment: "remove the comment"
        case .trailingComma: "remove the comma"
        case .byteOrderMark: "save the file as UTF-8 without a byte-order mark"
        case .notUTF8: "save the file as UTF-8"
        case .trailing: "one file holds one JSON object; drop a file for each, or use \"tasks\""
        default: nil
        }
    }

    /// What is wrong with a task that is JSON; `text` tells where the field stands.
    public init(_ fault: TaskFault, file: String, text: [UInt8]) {
        var path = fault.path
        var places = JSONReader.locate(path, in: text)
        while places == nil, !path.steps.isEmpty {
            path.pop()
            places = JSONReader.locate(path, in: text)
        }
        let offset = fault.isAtName ? places?.name ?? places?.value : places?.value
        self.init(
            code: fault.code, message: fault.message, file: file,
            position: offset.map { TextPosition(byte: $0, of: text) },
            field: fault.path.steps.isEmpty ? nil : fault.path.description, expected: fault.expected, hint: fault.hint)
    }

    /// A task that is longer than one may be.
    public static func tooLarge(_ size: Int64, file: String) -> RejectionRecord {
        RejectionRecord(
            code: "too_large", message: "it has \(size) bytes or more", file: file, expected: "at most \(Defaults.taskBytes) bytes",
            hint: "put long input into a file: a program gets it by \"stdin\": {\"file\": PATH}; a prompt names a file in the session's "
                + "working directory, or has a link to it: {\"type\": \"resource_link\", \"uri\": \"file:///PATH\"}")
    }

    public var json: JSON {
        var place: JSONObject = ["file": .string(file)]
        place["line"] = .optional(position?.line)
        place["column"] = .optional(position?.column)
        place["field"] = .optional(field)
        var object: JSONObject = ["code": .string(code), "message": .string(message), "where": .object(place)]
        object["expected"] = .optional(expected)
        object["hint"] = .optional(hint)
        object["at"] = .string(at.description)
        return .object(object)
    }
}
