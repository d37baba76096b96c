/// A JSON value as Rouse reads and writes it.
///
/// Objects keep the order of their members: a record is written in the order a person wants to read it in, and a
/// dropped task is normalised without being shuffled.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// The value as a whole number; `3.0` is one, `3.5` is none.
    public var int: Int? {
        switch self {
        case .int(let value): Int(value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    public var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// What kind of value this is, in the words of an error message.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int, .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The member `name` of an object; `nil` where this is no object or has no such member.
    public subscript(name: String) -> JSON? { object?[name] }
}

/// The members of a JSON object, in their order. Names are unique.
public struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public private(set) var members: [(name: String, value: JSON)] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, JSON)...) {
        for (name, value) in elements { self[name] = value }
    }

    public var isEmpty: Bool { members.isEmpty }
    public var count: Int { members.count }
    public var names: [String] { members.map(\.name) }

    /// Members are few (a task file has at most some thirty), so a linear search beats a table. Names are compared
    /// as bytes: two spellings of "é" are two names.
    public subscript(name: String) -> JSON? {
        get { members.first { sameBytes($0.name, name) }?.value }
        set {
            let index = members.firstIndex { sameBytes($0.name, name) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
        }
    }

    /// Adds a member the caller knows to be new; the reader has checked for duplicates.
    mutating func append(unchecked name: String, _ value: JSON) { members.append((name, value)) }

    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        // Two objects that are equal have their members in the same order nearly always.
        for (own, other) in zip(left.members, right.members) {
            let counterpart = sameBytes(own.name, other.name) ? other.value : right[own.name]
            guard counterpart == own.value else { return false }
        }
        return true
    }
}

/// Swift compares strings by canonical equivalence; names on disk and in JSON are bytes.
/// The same bytes are always equal as strings, which is what is decided fastest.
func sameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.count == right.utf8.count && left == right && left.utf8.elementsEqual(right.utf8)
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        var object = JSONObject()
        for (name, value) in elements { object[name] = value }
        self = .object(object)
    }
}

extension JSON {
    /// `nil` becomes `null` only where a record says so; everywhere else an absent value is an absent member.
    public static func optional(_ value: String?) -> JSON? { value.map(JSON.string) }
    public static func optional(_ value: Int?) -> JSON? { value.map { .int(Int64($0)) } }
    public static func number(_ value: some BinaryInteger) -> JSON { .int(Int64(clamping: value)) }
}
