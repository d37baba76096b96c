/// A five-field cron expression: `minute hour day-of-month month day-of-week`.
///
/// A field is a list of items parted by commas. An item is `*`, a value, or a range `a-b`; `*` and ranges take a step:
/// `*/7`, `8-18/2`. Months and weekdays also go by their first three letters, in either case. Sunday is 0 and 7, and a
/// range of weekdays may end on Sunday (`fri-sun`). `@hourly @daily @midnight @weekly @monthly @yearly @annually` stand
/// for the usual expressions. What is not in this grammar (`?`, `L`, `W`, `#`, seconds, `@reboot`, a step after a
/// single value, a step larger than its field) is refused, not guessed at.
///
/// The meaning is that of Vixie cron (crontab(5)): minute, hour and month must all match. When day-of-month and
/// day-of-week are both restricted, a day matches if **either** does; a field that begins with `*`, even `*/2`, is not
/// restricted, and then both must match. Steps count from the start of their range, so `*/7` minutes is 0, 7, … 56 and
/// then 0 again.
public struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    /// The expression as it was written.
    public let text: String

    // One bit a value: bit 0 is minute 0, hour 0 and Sunday; bit 1 is the first of the month and January.
    let minutes: UInt64
    let hours: UInt64
    let daysOfMonth: UInt64
    let months: UInt64
    let daysOfWeek: UInt64
    /// Whether one of the two day fields is enough.
    let eitherDay: Bool

    /// Whether the hour field allows every hour or begins with `*`. Such an expression means "every so often", any
    /// other "at this time of day"; they differ where clocks change, see `next(after:in:)`.
    public let hasWildcardHour: Bool

    /// Reads an expression. White space (blanks and tabs) around and between fields does not matter.
    /// - Throws: `CronFault` for the first fault.
    public init(_ text: String) throws(CronFault) {
        let fields = try CronParser.parse(text)
        self.text = text
        minutes = fields[0].values
        hours = fields[1].values
        daysOfMonth = fields[2].values
        months = fields[3].values
        daysOfWeek = fields[4].values
        eitherDay = !fields[2].beginsWithStar && !fields[4].beginsWithStar
        hasWildcardHour = fields[1].beginsWithStar || fields[1].values == 0xFF_FFFF
    }

    public var description: String { text }

    /// Whether the calendar has a day that matches; false for `0 0 31 2 *`, which is a correct expression.
    ///
    /// Every date that exists falls on every weekday within the 400 years after which the calendar repeats (29 February
    /// too), so the weekday need not be looked at.
    public var canFire: Bool {
        if eitherDay { return true }
        return (1...12).contains { month in
            // 2000 was a leap year.
            months & 1 << month != 0 && daysOfMonth & lowBits(through: CivilDate.days(inMonth: month, of: 2000)) != 0
        }
    }
}

/// Bits 0 through `last`; `last` is below 63.
func lowBits(through last: Int) -> UInt64 { (1 << (last + 1)) - 1 }
