/// Reads the members of one JSON object as typed fields, and faults on any that nobody asked for.
///
/// Every `take` removes a field from what is left; `finish` reports the first that remains, with the word that was
/// probably meant. So the names a reader knows are exactly the names it reads.
public struct FieldReader {
    public let path: JSONPath
    private let object: JSONObject
    private var known: [String] = []
    /// The names of an object that has too many for a search through all of them at each field.
    private let names: Set<String>?

    public init(_ object: JSONObject, at path: JSONPath = JSONPath()) {
        self.object = object
        self.path = path
        names = object.count > 64 ? Set(object.names) : nil
        known.reserveCapacity(32)
    }

    /// Reads the object at `path`, or faults with what stands there instead.
    public init(_ value: JSON, at path: JSONPath, expected: String) throws(TaskFault) {
        guard let object = value.object else { throw Self.wrongKind(value, at: path, expected: expected) }
        self.init(object, at: path)
    }

    public mutating func take(_ name: String) -> JSON? {
        known.append(name)
        if let names, !names.contains(name) { return nil }
        return object[name]
    }

    /// Converts the field `name` by `convert`, which answers `nil` for a value that it does not take.
    public mutating func take<Value>(
        _ name: String, expected: @autoclosure () -> String, hint: ((JSON) -> String?)? = nil,
        _ convert: (JSON) -> Value?
    ) throws(TaskFault) -> Value? {
        guard let value = take(name) else { return nil }
        guard let converted = convert(value) else {
            let place = path.appending(name)
            let expected = expected()
            throw TaskFault(
                "bad_value", "\(place) is \(Self.words(value)), not \(expected)", at: place, expected: expected,
                hint: hint?(value))
        }
        return converted
    }

    public mutating func string(_ name: String, maximumBytes: Int = 4096) throws(TaskFault) -> String? {
        try take(name, expected: "a string of 1 to \(maximumBytes) bytes without NUL") { value in
            value.string.flatMap { $0.utf8.count <= maximumBytes && !$0.isEmpty && !$0.utf8.contains(0) ? $0 : nil }
        }
    }

    public mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(TaskFault) -> Int? {
        try take(
            name,
            expected: "a whole number "
                + (range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"),
            hint: Self.unquoted
        ) { value in
            value.int.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// What to write instead of a number in quotes.
    private static func unquoted(_ value: JSON) -> String? {
        guard let text = value.string, let number = Double(text), number.isFinite else { return nil }
        return "write the number without quotes"
    }

    public mutating func number(_ name: String, in range: ClosedRange<Double>) throws(TaskFault) -> Double? {
        try take(name, expected: "a number from \(range.lowerBound) to \(range.upperBound)", hint: Self.unquoted) { value in
            value.double.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    public mutating func span(_ name: String, atLeast least: TimeSpan = TimeSpan(milliseconds: 0)) throws(TaskFault) -> TimeSpan? {
        try take(
            name,
            expected: "a duration\(least.milliseconds > 0 ? " of at least \(least)" : "") such as \"90s\", \"30m\", \"2h\" or \"1d\"",
            hint: { value in
                (value.int ?? value.string.flatMap { Int($0) }).flatMap { $0 >= 0 ? "write \"\($0)s\" for \($0) seconds" : nil }
            }
        ) { value in
            value.string.flatMap(TimeSpan.init).flatMap { $0 >= least ? $0 : nil }
        }
    }

    public mutating func time(_ name: String) throws(TaskFault) -> Timestamp? {
        try take(name, expected: "a time such as \"2026-11-21T22:00:00Z\" (RFC 3339)") { $0.string.flatMap(Timestamp.init) }
    }

    public mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Value.Type
    ) throws(TaskFault) -> Value? where Value.RawValue == String {
        try take(
            name, expected: "one of " + Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "),
            hint: { value in value.string.flatMap { nearest(to: $0, among: Value.allCases.map(\.rawValue)) }.map { "did you mean \"\($0)\"?" } }
        ) { $0.string.flatMap(Value.init(rawValue:)) }
    }

    /// An array whose elements `convert` takes; the first that it does not take is at fault.
    public mutating func list<Value>(
        _ name: String, maximumCount: Int, expected: String, hint: ((JSON) -> String?)? = nil,
        _ convert: (JSON) -> Value?
    ) throws(TaskFault) -> [Value]? {
        guard let value = take(name) else { return nil }
        let place = path.appending(name)
        guard let elements = value.array, elements.count <= maximumCount else {
            throw Self.wrongKind(value, at: place, expected: "an array of at most \(maximumCount) elements")
        }
        var values: [Value] = []
        for (index, element) in elements.enumerated() {
            guard let converted = convert(element) else {
                var fault = Self.wrongKind(element, at: place.appending(index), expected: expected)
                fault.hint = hint?(element)
                throw fault
            }
            values.append(converted)
        }
        return values
    }

    /// An object whose values are strings.
    public mutating func stringMap(_ name: String, maximumCount: Int = 64) throws(TaskFault) -> [String: String]? {
        guard let value = take(name) else { return nil }
        let place = path.appending(name)
        guard let object = value.object, object.count <= maximumCount else {
            throw Self.wrongKind(value, at: place, expected: "an object of at most \(maximumCount) strings")
        }
        var map: [String: String] = [:]
        for member in object.members {
            let memberPlace = place.appending(member.name)
            guard (1...Bounds.mapName).contains(member.name.utf8.count), !member.name.utf8.contains(0) else {
                throw TaskFault(
                    "bad_value", "\(JSONPath.quoted(member.name)) can't be a name in \(place)", at: memberPlace,
                    isAtName: true, expected: "a name of 1 to \(Bounds.mapName) bytes without NUL")
            }
            guard let text = member.value.string, text.utf8.count <= Bounds.mapValue, !text.utf8.contains(0) else {
                var fault = Self.wrongKind(
                    member.value, at: memberPlace, expected: "a string of at most \(Bounds.mapValue) bytes without NUL")
                if member.value.double != nil || member.value.bool != nil {
                    fault.hint = "write \"\(Self.words(member.value))\", in quotes"
                }
                throw fault
            }
            guard map.updateValue(text, forKey: member.name) == nil else { throw Self.sameName(member.name, at: memberPlace) }
        }
        return map
    }

    /// Two names of an object that are different bytes for the same characters.
    static func sameName(_ name: String, at place: JSONPath) -> TaskFault {
        TaskFault(
            "duplicate_field", "\(JSONPath.quoted(name)) is there twice, in two Unicode spellings", at: place,
            isAtName: true, expected: "each name once")
    }

    /// Faults on the first field that was not taken. `others` are names that are right elsewhere, with the reason
    /// why not here; `synonyms` are words that people write for a field.
    public func finish(
        synonyms: [String: String] = [:], others: (String) -> String? = { _ in nil }
    ) throws(TaskFault) {
        guard let stranger = object.members.first(where: { member in !known.contains { sameBytes($0, member.name) } })?.name
        else { return }
        let place = path.appending(stranger)
        if let reason = others(stranger) {
            throw TaskFault("field_not_allowed", reason, at: place, isAtName: true, expected: expectedNames)
        }
        let meant = synonyms[stranger.lowercased()].flatMap { known.contains($0) ? $0 : nil }
        throw TaskFault(
            "unknown_field", "\(JSONPath.quoted(stranger)) is not a field that is known here", at: place, isAtName: true,
            expected: expectedNames,
            hint: (meant ?? nearest(to: stranger, among: known)).map { "did you mean \"\($0)\"?" })
    }

    private var expectedNames: String { "one of " + known.joined(separator: ", ") }

    public static func wrongKind(_ value: JSON, at path: JSONPath, expected: String) -> TaskFault {
        let subject = path.steps.isEmpty ? "the file" : path.description
        return TaskFault("bad_value", "\(subject) is \(words(value)), not \(expected)", at: path, expected: expected)
    }

    /// A value in the words of a message: short ones as they are, others by their kind.
    static func words(_ value: JSON) -> String {
        switch value {
        case .object(let object): return object.isEmpty ? "an empty object" : "an object of \(object.count)"
        case .array(let elements): return elements.isEmpty ? "an empty array" : "an array of \(elements.count)"
        default:
            let text = JSONWriter.text(value)
            return text.utf8.count <= 60 ? text : value.string.map { "a string of \($0.utf8.count) bytes" } ?? value.kind
        }
    }
}
