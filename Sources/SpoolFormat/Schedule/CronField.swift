/// The parts of a cron expression, in the order in which they are written.
public enum CronField: String, Sendable, Hashable, CaseIterable {
    /// The expression as a whole: its number of fields, or an `@` name.
    case expression
    case minute
    case hour
    case dayOfMonth = "day-of-month"
    case month
    case dayOfWeek = "day-of-week"

    static let five: [CronField] = [.minute, .hour, .dayOfMonth, .month, .dayOfWeek]

    /// The numbers that may be written. In the last field both 0 and 7 are Sunday.
    var range: ClosedRange<Int> {
        switch self {
        case .expression: 0...0
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// What `*` stands for: every value once.
    var all: ClosedRange<Int> { self == .dayOfWeek ? 0...6 : range }

    /// Names in the order of their numbers, the first being `all.lowerBound`.
    var names: [String] {
        switch self {
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        default: []
        }
    }

    /// One value, in the words of an error.
    var expectedValue: String {
        switch self {
        case .month: "a number from 1 to 12 or a name from jan to dec"
        case .dayOfWeek: "a number from 0 to 7 or a name from sun to sat"
        default: "a number from \(range.lowerBound) to \(range.upperBound)"
        }
    }
}
