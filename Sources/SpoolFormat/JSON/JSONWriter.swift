/// Writes JSON: indented for a file that people `cat`, or in one line for a log.
public struct JSONWriter {
    public enum Layout: Sendable {
        /// Two spaces a level, a line a member, and a line feed at the end.
        case indented
        /// One line, with a line feed at the end.
        case line
    }

    private var bytes: [UInt8] = []
    private let layout: Layout

    private init(layout: Layout) {
        self.layout = layout
        bytes.reserveCapacity(512)
    }

    public static func write(_ value: JSON, _ layout: Layout = .indented) -> [UInt8] {
        var writer = JSONWriter(layout: layout)
        writer.put(value, depth: 0)
        writer.bytes.append(0x0A)
        return writer.bytes
    }

    /// The value as text, without the closing line feed.
    public static func text(_ value: JSON, _ layout: Layout = .line) -> String {
        String(decoding: write(value, layout).dropLast(), as: UTF8.self)
    }

    private mutating func put(_ value: JSON, depth: Int) {
        switch value {
        case .null: put("null")
        case .bool(let value): put(value ? "true" : "false")
        case .int(let value): put(String(value))
        case .double(let value): put(value.isFinite ? String(value) : "null")
        case .string(let value): put(quoted: value)
        case .array(let elements):
            // An argument vector reads best on one line; so does any array of plain values.
            let isPlain = elements.allSatisfy { $0.array == nil && $0.object == nil }
            put(elements, open: "[", close: "]", depth: depth, onOneLine: isPlain) { writer, element in
                writer.put(element, depth: depth + 1)
            }
        case .object(let object):
            put(object.members, open: "{", close: "}", depth: depth, onOneLine: false) { writer, member in
                writer.put(quoted: member.name)
                writer.put(writer.layout == .indented ? ": " : ":")
                writer.put(member.value, depth: depth + 1)
            }
        }
    }

    private mutating func put<Element>(
        _ elements: [Element], open: String, close: String, depth: Int, onOneLine: Bool,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        put(open)
        let isIndented = layout == .indented && !onOneLine && !elements.isEmpty
        for (index, element) in elements.enumerated() {
            if index > 0 { put(layout == .indented && !isIndented ? ", " : ",") }
            if isIndented { newLine(depth + 1) }
            body(&self, element)
        }
        if isIndented { newLine(depth) }
        put(close)
    }

    private mutating func newLine(_ depth: Int) {
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: 2 * depth))
    }

    private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func put(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        // Nearly every text has nothing to escape.
        var text = text
        let isPlain = text.withUTF8 { utf8 in
            guard utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C && $0 != 0x7F }) else { return false }
            bytes.append(contentsOf: utf8)
            return true
        }
        if isPlain { return bytes.append(UInt8(ascii: "\"")) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): put("\\\"")
            case UInt8(ascii: "\\"): put("\\\\")
            case 0x0A: put("\\n")
            case 0x0D: put("\\r")
            case 0x09: put("\\t")
            case 0..<0x20, 0x7F:
                let digits = String(byte, radix: 16)
                put("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
