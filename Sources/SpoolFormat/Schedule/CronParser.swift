/// Reads cron expressions. Works on Unicode scalars, because columns count those.
struct CronParser {
    /// What one field allows.
    struct Field {
        /// One bit a value.
        var values: UInt64 = 0
        /// Vixie cron's mark of a field that does not restrict.
        var beginsWithStar = false
    }

    private static let nicknames: [(name: String, meaning: String)] = [
        ("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"),
    ]
    private static let layout = "five fields: minute hour day-of-month month day-of-week"

    private let scalars: [Unicode.Scalar]
    private var field = CronField.expression
    private var at = 0
    /// Where the field being read ends.
    private var end = 0

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// The five fields of `text`, in order.
    static func parse(_ text: String) throws(CronFault) -> [Field] {
        var parser = CronParser(text)
        return try parser.expression()
    }

    private mutating func expression() throws(CronFault) -> [Field] {
        let words = scalars.indices.split { scalars[$0] == " " || scalars[$0] == "\t" }
        guard let first = words.first else { throw fault("", at: 0, expected: Self.layout) }
        if scalars[first.lowerBound] == "@" { return try nickname(words) }
        var fields: [Field] = []
        for (name, word) in zip(CronField.five, words) {
            field = name
            (at, end) = (word.lowerBound, word.upperBound)
            fields.append(try list())
        }
        if words.count < 5 {
            field = CronField.five[words.count]
            throw fault("", at: scalars.count, expected: Self.layout)
        }
        if words.count > 5 {
            field = .expression
            throw fault(words[5], expected: "nothing after \(Self.layout)")
        }
        return fields
    }

    private func nickname(_ words: [Range<Int>]) throws(CronFault) -> [Field] {
        let name = text(words[0])
        guard let known = Self.nicknames.first(where: { $0.name == name.lowercased() }) else {
            let names = Self.nicknames.map(\.name).joined(separator: " ")
            throw fault(words[0], expected: "one of \(names), or \(Self.layout)")
        }
        if words.count > 1 { throw fault(words[1], expected: "nothing after \(name)") }
        return try Self.parse(known.meaning)
    }

    private mutating func list() throws(CronFault) -> Field {
        var result = Field(beginsWithStar: scalars[at] == "*")
        while true {
            result.values |= try item()
            if at == end { return result }
            at += 1
        }
    }

    /// Reads up to the next comma or the end of the field.
    private mutating func item() throws(CronFault) -> UInt64 {
        let itemEnd = scalars[at..<end].firstIndex(of: ",") ?? end
        let item = at..<itemEnd
        let range: ClosedRange<Int>
        var takesStep = true
        if peek("*") {
            at += 1
            range = field.all
        } else {
            let first = try value()
            if peek("-") {
                at += 1
                var last = try value()
                // "fri-sun" and "5-0": at the end of a range Sunday closes the week.
                if field == .dayOfWeek, last == 0, first > 0 { last = 7 }
                guard first <= last else { throw fault(item, expected: "a range that goes up") }
                range = first...last
            } else {
                range = first...first
                takesStep = false
            }
        }
        var step = 1
        if peek("/") {
            guard takesStep else { throw fault(item, expected: "* or a range, such as 0-59, before /") }
            at += 1
            step = try self.step()
        }
        guard at == itemEnd else { throw fault(at..<itemEnd, expected: "a comma, or the end of the field") }
        var values: UInt64 = 0
        for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
            values |= 1 << (field == .dayOfWeek && value == 7 ? 0 : value)
        }
        return values
    }

    private mutating func value() throws(CronFault) -> Int {
        let word = word()
        let text = text(word)
        if let index = field.names.firstIndex(of: text.lowercased()) { return index + field.all.lowerBound }
        guard let number = Self.number(text), field.range.contains(number) else {
            throw fault(word, expected: field.expectedValue)
        }
        return number
    }

    private mutating func step() throws(CronFault) -> Int {
        let word = word()
        let size = field.all.count
        guard let number = Self.number(text(word)), (1...size).contains(number) else {
            throw fault(word, expected: "a step from 1 to \(size)")
        }
        return number
    }

    /// Takes all up to the next sign of the grammar.
    private mutating func word() -> Range<Int> {
        let start = at
        while at < end, scalars[at] != ",", scalars[at] != "-", scalars[at] != "/" { at += 1 }
        return start..<at
    }

    /// Plain digits: no sign, and few enough not to overflow.
    private static func number(_ text: String) -> Int? {
        guard text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }

    private func peek(_ scalar: Unicode.Scalar) -> Bool { at < end && scalars[at] == scalar }

    private func text(_ range: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[range])
        return String(text)
    }

    private func fault(_ range: Range<Int>, expected: String) -> CronFault {
        fault(text(range), at: range.lowerBound, expected: expected)
    }

    private func fault(_ text: String, at index: Int, expected: String) -> CronFault {
        CronFault(field: field, text: text, column: index + 1, expected: expected)
    }
}
