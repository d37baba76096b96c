/// A length of time in milliseconds, written `90s`, `30m`, `2h`, `1d`, `250ms` or `1h30m`.
public struct TimeSpan: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(milliseconds: count * 1000) }
    public static func minutes(_ count: Int64) -> TimeSpan { .seconds(count * 60) }
    public static func hours(_ count: Int64) -> TimeSpan { .minutes(count * 60) }
    public static func days(_ count: Int64) -> TimeSpan { .hours(count * 24) }

    /// The longest span that is accepted; sums of an instant and a span then stay within four-digit years.
    public static let longest = TimeSpan.days(36_500)

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.milliseconds < right.milliseconds }

    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    static var unitNames: [String] { units.map(\.name) }

    /// Reads one or more numbers with units, the largest unit first; a number may have a fraction (`1.5h`).
    /// `nil` where the text is none, is negative, or is longer than `longest`.
    public init?(_ text: String) {
        if let plain = Self.plain(text.utf8) {
            guard plain <= Self.longest.milliseconds else { return nil }
            milliseconds = plain
            return
        }
        var total = 0.0
        var rest = Substring(text)
        var lastUnit = Int64.max
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let first = number.first, first != ".", number.last != ".", let value = Double(number),
                let scale = Self.units.first(where: { $0.name == unit })?.milliseconds, scale < lastUnit
            else { return nil }
            lastUnit = scale
            total += value * Double(scale)
        }
        guard total <= Double(Self.longest.milliseconds) else { return nil }
        milliseconds = Int64(total.rounded())
    }

    /// One whole number and its unit, as nearly every record has it.
    private static func plain(_ text: String.UTF8View) -> Int64? {
        let digits = text.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard (1...9).contains(digits.count) else { return nil }
        let unit = text.dropFirst(digits.count)
        guard let scale = units.first(where: { unit.elementsEqual($0.name.utf8) })?.milliseconds else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) } * scale
    }

    public var description: String {
        guard milliseconds > 0 else { return "0s" }
        var rest = milliseconds
        var text = ""
        for unit in Self.units where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text
    }
}
