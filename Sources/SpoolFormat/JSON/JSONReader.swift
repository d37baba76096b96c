/// Reads JSON strictly, by RFC 8259: no duplicate names, no trailing commas, no comments, no byte-order mark, only
/// UTF-8, nothing after the value, and no deeper than `maximumDepth`.
///
/// `JSONDecoder` accepts most of that and says only "not valid JSON". A task file is written by hand or by a program
/// that somebody is debugging, so a fault is reported with its place and with what was expected there.
public struct JSONReader {
    /// Nesting allowed in a task file (design §3). Recursion stays far below any thread's stack at this depth.
    public static let maximumDepth = 64
    /// A record holds what a program wrote, such as `result.output`, some levels further down.
    public static let maximumRecordDepth = 72

    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    private var depth = 0
    private let maximumDepth: Int
    /// The way to the value that is being read: an element's index, or the complement of the offset where a member's
    /// name begins. It becomes a path only when there is a fault.
    private var steps: [Int] = []
    /// The value whose place was asked for.
    private let target: JSONPath?
    private var targetPlaces: JSONPlaces?

    private init(_ bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int = maximumDepth, locating target: JSONPath? = nil) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.target = target
        steps.reserveCapacity(16)
    }

    /// Reads one JSON value that takes up all of `bytes` but for white space.
    /// - Throws: `JSONFault` with the place of the first fault.
    public static func read(_ bytes: [UInt8], maximumDepth: Int = maximumDepth) throws(JSONFault) -> JSON {
        var result: Result<JSON, JSONFault> = .success(.null)
        bytes.withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer, maximumDepth: maximumDepth)
            do throws(JSONFault) { result = .success(try reader.document()) } catch { result = .failure(error) }
        }
        return try result.get()
    }

    public static func read(_ text: String) throws(JSONFault) -> JSON { try read(Array(text.utf8)) }

    /// Where the value at `path`, or its name, stands in a text that `read` accepts. The text is read a second time:
    /// positions are wanted only for the one task in many that is at fault.
    public static func locate(_ path: JSONPath, in bytes: [UInt8]) -> JSONPlaces? {
        bytes.withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer, locating: path)
            guard (try? reader.document()) != nil else { return nil }
            return reader.targetPlaces
        }
    }

    /// Notes the place of the value that begins here, where it is the one that was asked for.
    private mutating func notePlace() {
        guard let target, targetPlaces == nil, steps.count == target.steps.count, isAtTarget(target) else { return }
        targetPlaces = JSONPlaces(name: steps.last.flatMap { $0 < 0 ? ~$0 : nil }, value: at)
    }

    private func isAtTarget(_ target: JSONPath) -> Bool {
        for (step, wanted) in zip(steps, target.steps).reversed() {
            switch wanted {
            case .index(let index): guard step == index else { return false }
            case .name(let name): guard step < 0, let own = self.name(at: ~step), sameBytes(own, name) else { return false }
            }
        }
        return true
    }

    private func name(at offset: Int) -> String? {
        var reader = JSONReader(bytes)
        reader.at = offset
        return try? reader.string()
    }

    private var path: JSONPath {
        JSONPath(steps.map { $0 < 0 ? .name(name(at: ~$0) ?? "") : .index($0) })
    }

    private mutating func document() throws(JSONFault) -> JSON {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw fault(.byteOrderMark, expected: "a file without a byte-order mark", at: 0)
        }
        if bytes.count >= 2, (bytes[0] == 0xFE && bytes[1] == 0xFF) || (bytes[0] == 0xFF && bytes[1] == 0xFE) {
            throw fault(.notUTF8, expected: "UTF-8 (this looks like UTF-16)", at: 0)
        }
        if bytes.count >= 2, (bytes[0] == 0) != (bytes[1] == 0) {
            throw fault(.notUTF8, expected: "UTF-8 (this looks like UTF-16)", at: bytes[0] == 0 ? 0 : 1)
        }
        skipSpace()
        guard at < bytes.count else { throw fault(.empty, expected: "a JSON object") }
        let value = try value()
        skipSpace()
        guard at == bytes.count else { throw fault(.trailing, expected: "the end of the file") }
        return value
    }

    private mutating func value() throws(JSONFault) -> JSON {
        if target != nil { notePlace() }
        guard at < bytes.count else { throw fault(.unexpectedEnd, expected: "a value") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): try word("true"); return .bool(true)
        case UInt8(ascii: "f"): try word("false"); return .bool(false)
        case UInt8(ascii: "n"): try word("null"); return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "/"), UInt8(ascii: "#"): throw fault(.comment, expected: "a value; JSON has no comments")
        case UInt8(ascii: "'"), 0xE2: throw fault(.unexpectedCharacter, expected: "a value; strings take straight double quotes")
        case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "I"):
            throw fault(.badNumber, expected: "a value; a number begins with a digit or -")
        case UInt8(ascii: "T"), UInt8(ascii: "F"), UInt8(ascii: "N"), UInt8(ascii: "u"):
            throw fault(.unexpectedCharacter, expected: "a value; the words of JSON are true, false and null")
        case UInt8(ascii: ","): throw fault(.unexpectedCharacter, expected: "a value before the comma")
        default: throw fault(.unexpectedCharacter, expected: "a value")
        }
    }

    private mutating func object() throws(JSONFault) -> JSONObject {
        try descend()
        defer { depth -= 1 }
        var object = JSONObject()
        var names = NameSet()
        at += 1
        skipSpace()
        if peek(UInt8(ascii: "}")) { at += 1; return object }
        while true {
            skipSpace()
            guard at < bytes.count else { throw fault(.unexpectedEnd, expected: "a name in double quotes") }
            guard bytes[at] == UInt8(ascii: "\"") else {
                if bytes[at] == UInt8(ascii: "}") {
                    throw fault(.trailingComma, expected: "a name in double quotes; no comma goes before }")
                }
                if bytes[at] == UInt8(ascii: "/") || bytes[at] == UInt8(ascii: "#") {
                    throw fault(.comment, expected: "a name in double quotes; JSON has no comments")
                }
                throw fault(.unexpectedCharacter, expected: "a name in double quotes")
            }
            let nameStart = at
            let name = try string()
            guard names.insert(name) else {
                steps.append(~nameStart)
                throw fault(.duplicateName, expected: "each name once", at: nameStart)
            }
            skipSpace()
            guard peek(UInt8(ascii: ":")) else { throw faultHere(expected: ": after the name \(JSONPath.quoted(name))") }
            at += 1
            skipSpace()
            steps.append(~nameStart)
            object.append(unchecked: name, try value())
            steps.removeLast()
            skipSpace()
            if peek(UInt8(ascii: ",")) { at += 1; continue }
            if peek(UInt8(ascii: "}")) { at += 1; return object }
            throw faultHere(expected: ", or }")
        }
    }

    private mutating func array() throws(JSONFault) -> [JSON] {
        try descend()
        defer { depth -= 1 }
        var elements: [JSON] = []
        at += 1
        skipSpace()
        if peek(UInt8(ascii: "]")) { at += 1; return elements }
        while true {
            skipSpace()
            if peek(UInt8(ascii: "]")) { throw fault(.trailingComma, expected: "a value; no comma goes before ]") }
            steps.append(elements.count)
            elements.append(try value())
            steps.removeLast()
            skipSpace()
            if peek(UInt8(ascii: ",")) { at += 1; continue }
            if peek(UInt8(ascii: "]")) { at += 1; return elements }
            throw faultHere(expected: ", or ]")
        }
    }

    private mutating func descend() throws(JSONFault) {
        depth += 1
        guard depth <= maximumDepth else {
            throw fault(.tooDeep, expected: "at most \(maximumDepth) levels of nesting")
        }
    }

    private mutating func word(_ word: StaticString) throws(JSONFault) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard at + offset < bytes.count else {
                throw fault(.unexpectedEnd, expected: "\(word)", at: bytes.count)
            }
            guard bytes[at + offset] == word.utf8Start[offset] else {
                throw fault(.unexpectedCharacter, expected: "\(word)", at: at)
            }
        }
        at += word.utf8CodeUnitCount
    }

    private mutating func number() throws(JSONFault) -> JSON {
        let start = at
        if peek(UInt8(ascii: "-")) { at += 1 }
        if peek(UInt8(ascii: "0")) {
            at += 1
            if at < bytes.count, isDigit(bytes[at]) {
                throw fault(.badNumber, expected: "a number without a leading zero", at: start)
            }
        } else {
            try digits()
        }
        var isInteger = true
        if peek(UInt8(ascii: ".")) { isInteger = false; at += 1; try digits() }
        if peek(UInt8(ascii: "e")) || peek(UInt8(ascii: "E")) {
            isInteger = false
            at += 1
            if peek(UInt8(ascii: "+")) || peek(UInt8(ascii: "-")) { at += 1 }
            try digits()
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<at]), as: UTF8.self)
        if isInteger, let value = Int64(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else {
            throw fault(.badNumber, expected: "a number that fits in 64 bits", at: start)
        }
        return .double(value)
    }

    private mutating func digits() throws(JSONFault) {
        guard at < bytes.count else { throw fault(.unexpectedEnd, expected: "a digit") }
        guard isDigit(bytes[at]) else { throw fault(.badNumber, expected: "a digit") }
        while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    }

    private mutating func string() throws(JSONFault) -> String {
        at += 1
        let start = at
        // Nearly every string has no escape: take it whole.
        var seen: UInt8 = 0
        while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"), bytes[at] >= 0x20 {
            seen |= bytes[at]
            at += 1
        }
        if peek(UInt8(ascii: "\"")) {
            let content = UnsafeBufferPointer(rebasing: bytes[start..<at])
            // ASCII needs no validation, which costs more than all the rest for a short string.
            guard let text = seen < 0x80 ? String(decoding: content, as: UTF8.self) : String(validating: content, as: UTF8.self)
            else { throw notUTF8(start..<at) }
            at += 1
            return text
        }
        var buffer = Array(bytes[start..<at])
        while true {
            guard at < bytes.count else { throw fault(.unexpectedEnd, expected: "the closing \" of a string") }
            switch bytes[at] {
            case UInt8(ascii: "\""):
                guard let text = String(validating: buffer, as: UTF8.self) else { throw notUTF8(start..<at) }
                at += 1
                return text
            case UInt8(ascii: "\\"):
                try escape(into: &buffer)
            case 0..<0x20:
                throw fault(.controlCharacter, expected: "an escape such as \\n for a control character")
            default:
                let run = at
                while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"), bytes[at] >= 0x20 {
                    at += 1
                }
                buffer.append(contentsOf: bytes[run..<at])
            }
        }
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(JSONFault) {
        let start = at
        at += 1
        guard at < bytes.count else { throw fault(.unexpectedEnd, expected: "an escape") }
        defer { at += 1 }
        switch bytes[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(bytes[at])
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try fourHexDigits()
            if (0xD800..<0xDC00).contains(scalar) {
                for byte in [UInt8(ascii: "\\"), UInt8(ascii: "u")] {
                    at += 1
                    guard at < bytes.count else { throw fault(.unexpectedEnd, expected: "the second half of a surrogate pair") }
                    guard bytes[at] == byte else {
                        throw fault(.badEscape, expected: "the second half of a surrogate pair", at: start)
                    }
                }
                let low = try fourHexDigits()
                guard (0xDC00..<0xE000).contains(low) else {
                    throw fault(.badEscape, expected: "the second half of a surrogate pair", at: start)
                }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let unicode = Unicode.Scalar(scalar) else {
                throw fault(.badEscape, expected: "a surrogate pair", at: start)
            }
            buffer.append(contentsOf: UTF8.encode(unicode)!)
        default:
            throw fault(.badEscape, expected: #"one of \" \\ \/ \b \f \n \r \t \u"#, at: start)
        }
    }

    /// Reads the digits after `\u`, leaving `at` on the last of them.
    private mutating func fourHexDigits() throws(JSONFault) -> UInt32 {
        var scalar: UInt32 = 0
        for _ in 0..<4 {
            at += 1
            guard at < bytes.count else { throw fault(.unexpectedEnd, expected: "four hexadecimal digits") }
            let digit: UInt8
            switch bytes[at] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[at] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[at] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[at] - UInt8(ascii: "A") + 10
            default: throw fault(.badEscape, expected: "four hexadecimal digits")
            }
            scalar = scalar << 4 | UInt32(digit)
        }
        return scalar
    }

    /// The fault at the first byte of a string that is not UTF-8. Escapes are ASCII, so the text as it stands in the
    /// file is UTF-8 exactly when the string is.
    private func notUTF8(_ range: Range<Int>) -> JSONFault {
        var decoder = UTF8()
        var iterator = bytes[range].makeIterator()
        var offset = range.lowerBound
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { offset += UTF8.width(scalar) }
        return fault(.notUTF8, expected: "UTF-8", at: min(offset, range.upperBound - 1))
    }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    private func peek(_ byte: UInt8) -> Bool { at < bytes.count && bytes[at] == byte }
    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private func faultHere(expected: String) -> JSONFault {
        fault(at < bytes.count ? .unexpectedCharacter : .unexpectedEnd, expected: expected)
    }

    private func fault(_ code: JSONFault.Code, expected: String, at offset: Int? = nil) -> JSONFault {
        let offset = offset ?? at
        let found: String? = offset < bytes.count ? printable(offset) : nil
        return JSONFault(
            code: code, expected: expected, found: found,
            position: TextPosition(offset: offset, in: bytes), path: path)
    }

    /// The character at `offset`, or its byte where it is none that can be shown.
    private func printable(_ offset: Int) -> String {
        var decoder = UTF8()
        var iterator = bytes[offset...].makeIterator()
        if case .scalarValue(let scalar) = decoder.decode(&iterator), scalar.value >= 0x20, !(0x7F...0x9F).contains(scalar.value) {
            // Spaces, marks and the like that nobody would see between two quotes, or that would steer the terminal.
            let isInvisible = scalar != " " && (scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.isWhitespace || scalar.properties.isBidiControl)
            let number = String(scalar.value, radix: 16, uppercase: true)
            return isInvisible ? "U+" + String(repeating: "0", count: max(0, 4 - number.count)) + number : String(scalar)
        }
        return "byte 0x" + (bytes[offset] < 16 ? "0" : "") + String(bytes[offset], radix: 16)
    }
}

extension UTF8 {
    fileprivate static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case ..<0x80: 1
        case ..<0x800: 2
        case ..<0x10000: 3
        default: 4
        }
    }
}

/// The names seen in one object. A hostile file may have a hundred thousand of them, so past a handful the search
/// goes through a set of their bytes.
private struct NameSet {
    private var few: [String] = []
    private var many: Set<[UInt8]> = []

    mutating func insert(_ name: String) -> Bool {
        if many.isEmpty {
            if few.contains(where: { sameBytes($0, name) }) { return false }
            few.append(name)
            if few.count > 32 { many = Set(few.map { Array($0.utf8) }) }
            return true
        }
        return many.insert(Array(name.utf8)).inserted
    }
}
