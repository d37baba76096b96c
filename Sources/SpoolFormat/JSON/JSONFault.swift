/// Why a text is not the JSON it should be, and where.
public struct JSONFault: Error, Sendable, Equatable {
    /// The kind of fault, as it stands in an error file's `code`.
    public enum Code: String, Sendable {
        case empty = "empty_file"
        case unexpectedEnd = "unexpected_end"
        case unexpectedCharacter = "unexpected_character"
        case trailing = "trailing_content"
        case trailingComma = "trailing_comma"
        case comment = "comment"
        case duplicateName = "duplicate_field"
        case badNumber = "bad_number"
        case badEscape = "bad_escape"
        case controlCharacter = "control_character"
        case notUTF8 = "not_utf8"
        case byteOrderMark = "byte_order_mark"
        case tooDeep = "too_deep"
    }

    public let code: Code
    public let expected: String
    public let found: String?
    public let position: TextPosition
    public let path: JSONPath

    /// Whether more bytes could mend it: a file written in place may have been seen before its writer was done.
    public var mayBeUnfinished: Bool { code == .unexpectedEnd || code == .empty }
}

/// A place in a text. Lines and columns count from 1; a column counts characters (Unicode scalars), not bytes.
public struct TextPosition: Sendable, Equatable {
    public let line: Int
    public let column: Int

    init(offset: Int, in bytes: some Collection<UInt8>) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.line = line
        self.column = column
    }
}

/// The way from the top of a document to one of its values: `tasks[2].timeout`.
public struct JSONPath: Sendable, Hashable, CustomStringConvertible {
    public enum Step: Sendable, Hashable {
        case name(String)
        case index(Int)
    }

    public private(set) var steps: [Step] = []

    public init(_ steps: [Step] = []) { self.steps = steps }

    public mutating func push(_ step: Step) { steps.append(step) }
    public mutating func pop() { steps.removeLast() }

    public func appending(_ name: String) -> JSONPath { JSONPath(steps + [.name(name)]) }
    public func appending(_ index: Int) -> JSONPath { JSONPath(steps + [.index(index)]) }

    /// Plain names stand with a dot before them, others in brackets and quotes: `env["a b"]`.
    public var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .name(let name) where Self.isPlain(name): text += text.isEmpty ? name : "." + name
            case .name(let name): text += "[" + Self.quoted(name) + "]"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    private static func isPlain(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
    }

    /// A name in double quotes, with escapes, and no longer than a message can bear.
    static func quoted(_ name: String) -> String {
        let shown = name.utf8.count <= 64 ? name : String(String.UnicodeScalarView(name.unicodeScalars.prefix(48))) + "…"
        return JSONWriter.text(.string(shown))
    }
}

/// Byte offsets of a value and of the name before it.
public struct JSONPlaces: Sendable {
    public var name: Int?
    public var value: Int

    init(name: Int? = nil, value: Int) {
        self.name = name
        self.value = value
    }
}

extension TextPosition {
    /// The position of the byte at `offset` of `text`.
    public init(byte offset: Int, of text: [UInt8]) { self.init(offset: offset, in: text) }
}
