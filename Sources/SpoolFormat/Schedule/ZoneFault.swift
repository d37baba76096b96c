/// Why a time zone cannot be used.
public struct ZoneFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault.
    public enum Code: String, Sendable {
        /// The name cannot be that of a zone: empty, absolute, or with `.`, `..` or nothing between slashes.
        case badName = "bad_zone_name"
        /// There is no such zone.
        case unknown = "unknown_zone"
        /// There is no time zone database at all.
        case noDatabase = "no_zone_database"
        /// The zone's file cannot be read.
        case unreadable = "unreadable_zone"
        /// The zone's file is not what RFC 9636 says.
        case malformed = "malformed_zone"
        /// The zone counts leap seconds, which Unix time does not.
        case leapSeconds = "leap_second_zone"
    }

    public let code: Code
    /// The name that was asked for.
    public let name: String
    /// What would be right, as the end of "expected …".
    public let expected: String
    /// A zone whose name is much like the one asked for.
    public let suggestion: String?

    init(_ code: Code, _ name: String, expected: String, suggestion: String? = nil) {
        self.code = code
        self.name = name
        self.expected = expected
        self.suggestion = suggestion
    }

    /// `time zone "Europe/Berln": expected a name from the time zone database; did you mean "Europe/Berlin"?`
    public var description: String {
        let hint = suggestion.map { "; did you mean \"\($0)\"?" } ?? ""
        return "time zone \"\(name)\": expected \(expected)\(hint)"
    }
}
