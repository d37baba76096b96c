/// A day of the proleptic Gregorian calendar, without a time of day or a zone.
///
/// The arithmetic is Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms" (`days_from_civil`,
/// `civil_from_days`, `weekday_from_days`; https://howardhinnant.github.io/date_algorithms.html): exact for every year,
/// without tables or loops, because it counts years from 1 March.
public struct CivilDate: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The year as astronomers count it: year 0 is 1 BC.
    public let year: Int64
    /// 1…12.
    public let month: Int
    /// 1…31.
    public let day: Int

    /// - Returns: `nil` when the calendar has no such day, or it is more than a million years away (which keeps all
    ///   arithmetic with it from overflowing).
    public init?(year: Int64, month: Int, day: Int) {
        guard (-1_000_000...1_000_000).contains(year) else { return nil }
        guard (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, of: year) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that is `days` days after 1970-01-01.
    public init(daysSinceEpoch days: Int64) {
        // An era is 400 years: 146 097 days, after which the calendar repeats. 719 468 days lie between 0000-03-01 and
        // the epoch.
        let (era, dayOfEra) = (days + 719_468).floored(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01, negative before it.
    public var daysSinceEpoch: Int64 { Self.daysSinceEpoch(year: year, month: month, day: day) }

    /// 0 is Sunday, 6 is Saturday.
    public var weekday: Int { Self.weekday(daysSinceEpoch: daysSinceEpoch) }

    /// `2026-05-09`.
    public var description: String {
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number.magnitude)
            return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(Int64(month), 2))-\(padded(Int64(day), 2))"
    }

    public static func < (a: CivilDate, b: CivilDate) -> Bool {
        (a.year, a.month, a.day) < (b.year, b.month, b.day)
    }

    /// Whether `year` has a 29 February.
    public static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// How many days `month` (1…12) has in `year`.
    public static func days(inMonth month: Int, of year: Int64) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The same count for a month and day known to exist.
    static func daysSinceEpoch(year: Int64, month: Int, day: Int) -> Int64 {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = yearFromMarch.floored(by: 400)
        let monthFromMarch = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// 1970-01-01 was a Thursday.
    static func weekday(daysSinceEpoch days: Int64) -> Int { Int((days + 4).floored(by: 7).remainder) }
}

extension Int64 {
    /// Division that rounds towards minus infinity, so that the remainder is 0 ..< divisor on both sides of the epoch.
    func floored(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
