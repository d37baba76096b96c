/// The rule in a POSIX `TZ` string, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// It ends every TZif file and holds for all times after the file's table. The grammar is that of POSIX (XBD §8.3) with
/// RFC 9636 §3.3.2: names in `<>`, and times of change from -167 to 167 hours. Summer time may be behind standard time
/// (`IST-1GMT0,M10.5.0,M3.5.0/1` of Dublin) and may last all year.
struct PosixZoneRule: Sendable, Hashable {
    /// A day of every year.
    enum Day: Sendable, Hashable {
        /// `Jn`: 1…365, where 29 February does not count.
        case julian(Int64)
        /// `n`: 0…365, where it does.
        case zeroBased(Int64)
        /// `Mm.w.d`: the w-th weekday d of month m; w = 5 is the last.
        case weekday(month: Int, week: Int, weekday: Int)
    }

    /// When clocks change: seconds after local midnight of a day, by the clock before the change.
    struct Change: Sendable, Hashable {
        var day: Day
        var time: Int64
    }

    struct Summer: Sendable, Hashable {
        /// Seconds east of UTC.
        var offset: Int64
        var start: Change
        var end: Change
    }

    /// Seconds east of UTC.
    let standard: Int64
    /// `nil` where clocks never change.
    let summer: Summer?

    /// The segment that `second` (since the Unix epoch) lies in.
    func segment(at second: Int64) -> ZoneRules.Segment {
        guard let summer else { return ZoneRules.Segment(start: .min, end: .max, offset: standard) }
        let year = CivilDate(daysSinceEpoch: (second + standard).floored(by: 86_400).quotient).year
        var found = ZoneRules.Segment(start: .min, end: .max, offset: standard)
        for year in year - 1...year + 1 {
            let start = (at: instant(of: summer.start, in: year) - standard, offset: summer.offset)
            let end = (at: instant(of: summer.end, in: year) - summer.offset, offset: standard)
            for change in start.at <= end.at ? [start, end] : [end, start] {
                if change.at > second {
                    found.end = change.at
                    return found
                }
                (found.start, found.offset) = (change.at, change.offset)
            }
        }
        return found
    }

    /// A change's local time in `year`, in seconds counted as if it were UTC.
    private func instant(of change: Change, in year: Int64) -> Int64 {
        let newYear = CivilDate.daysSinceEpoch(year: year, month: 1, day: 1)
        let day: Int64 =
            switch change.day {
            case .julian(let number): newYear + number - (CivilDate.isLeap(year) && number >= 60 ? 0 : 1)
            case .zeroBased(let number): newYear + number
            case .weekday(let month, let week, let weekday): Self.day(weekday, week, month, year)
            }
        return day * 86_400 + change.time
    }

    private static func day(_ weekday: Int, _ week: Int, _ month: Int, _ year: Int64) -> Int64 {
        let first = CivilDate.daysSinceEpoch(year: year, month: month, day: 1)
        let toWeekday = (weekday - CivilDate.weekday(daysSinceEpoch: first) + 7) % 7
        var offset = toWeekday + (week - 1) * 7
        // Week 5 is the last, which in most months is the fourth.
        if offset >= CivilDate.days(inMonth: month, of: year) { offset -= 7 }
        return first + Int64(offset)
    }
}
