/// The name of a job: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`, compared as bytes.
public struct JobID: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let text: String

    public static let longest = 128

    public init?(_ text: String) {
        guard Self.isLegal(text.utf8) else { return nil }
        self.text = text
    }

    public init?(_ name: EntryName) {
        guard Self.isLegal(name.bytes) else { return nil }
        self.text = String(decoding: name.bytes, as: UTF8.self)
    }

    public var description: String { text }

    public static func < (left: JobID, right: JobID) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }

    private static func isLegal(_ bytes: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first, bytes.count <= longest, isAlphanumeric(first) else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }

    /// The id that a dropped file's name asks for: the name without `.json`, where that is legal.
    public init?(fileName: EntryName) {
        guard fileName.hasSuffix(".json") else { return nil }
        self.init(EntryName(fileName.bytes.dropLast(5)))
    }

    /// An id close to what a file's name asks for, made unique by a short suffix that sorts by time.
    public static func derived(from name: String, suffix: String) -> JobID {
        var stem = Array(name.utf8)
        if name.hasSuffix(".json") { stem.removeLast(5) }
        for index in stem.indices where !isLegal([UInt8(ascii: "a"), stem[index]]) { stem[index] = UInt8(ascii: "-") }
        let start = stem.firstIndex(where: isAlphanumeric) ?? stem.endIndex
        let kept = stem[start...].prefix(longest - suffix.utf8.count - 1)
        let text = kept.isEmpty ? "task" : String(decoding: kept, as: UTF8.self)
        return JobID(text + "-" + suffix)!
    }

    /// How many digits the suffix has that is made for a name that is in use.
    public static let suffixWidth = 10

    /// Whether this is what `derived` makes of the name `text`.
    public func isDerived(from text: String) -> Bool {
        let suffix = self.text.utf8.suffix(Self.suffixWidth)
        guard suffix.allSatisfy(Self.digits.contains) else { return false }
        return Self.derived(from: text, suffix: String(decoding: Array(suffix), as: UTF8.self)) == self
    }

    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// `number` in Crockford's base 32, whose digits sort like the numbers: nine of them hold milliseconds since 1970
    /// until the year 3084.
    public static func sortable(_ number: UInt64, width: Int) -> String {
        var rest = number
        var text: [UInt8] = []
        for _ in 0..<width {
            text.append(digits[Int(rest & 31)])
            rest >>= 5
        }
        return String(decoding: text.reversed(), as: UTF8.self)
    }
}
