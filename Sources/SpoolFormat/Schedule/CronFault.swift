/// Why a text is not a cron expression, and where.
public struct CronFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The field at fault; `expression` when it is none of the five.
    public let field: CronField
    /// What stands there; empty when nothing does.
    public let text: String
    /// Where it begins: characters (Unicode scalars) of the expression, counted from 1.
    public let column: Int
    /// What would be right there, as the end of "expected …".
    public let expected: String

    /// `hour: "24" at column 3; expected a number from 0 to 23`.
    public var description: String {
        let found = text.isEmpty ? "nothing" : "\"\(text)\""
        return "\(field.rawValue): \(found) at column \(column); expected \(expected)"
    }
}
