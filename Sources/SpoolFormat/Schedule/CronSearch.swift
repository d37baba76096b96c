extension CronExpression {
    /// The instants that `next` looks at: years 1 to 9999, in seconds since the Unix epoch.
    private static let searched: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// The first firing later than `instant`.
    ///
    /// Firings are at full minutes of `zone`'s local time. Where clocks change, the hour field decides what happens:
    ///
    /// - **A fixed hour** (`30 2 * * *`) means a time of day, which every day has once. The expression fires when the
    ///   local clock first shows or passes that time. So a time that is skipped fires at the first instant after the
    ///   gap, once however many of the expression's minutes were skipped; a time that comes twice fires the first time.
    /// - **A wildcard hour** (`*/20 * * * *`) means "every so often". The expression fires whenever the local clock
    ///   shows a matching minute: in both passes of a repeated hour, and not for minutes that were skipped.
    ///
    /// Days, months and years without a match are stepped over, so the cost does not depend on how far away the
    /// firing is: a few microseconds.
    ///
    /// - Parameters:
    ///   - instant: milliseconds since the Unix epoch.
    ///   - zone: the rules of the local time that the fields speak of.
    /// - Returns: milliseconds since the Unix epoch, or `nil` when there is none: a date that no year has, or past the
    ///   year 9999.
    public func next(after instant: Int64, in zone: ZoneRules) -> Int64? {
        guard canFire else { return nil }
        let second = max(instant.floored(by: 1000).quotient, Self.searched.lowerBound)
        guard second <= Self.searched.upperBound else { return nil }
        let next = hasWildcardHour ? nextShown(after: second, in: zone) : nextReached(after: second, in: zone)
        guard let next, next <= Self.searched.upperBound else { return nil }
        return next * 1000
    }

    /// The first second after `second` at which the local clock shows a matching minute.
    private func nextShown(after second: Int64, in zone: ZoneRules) -> Int64? {
        var segment = zone.segment(at: second + 1)
        var from = second + 1 + segment.offset
        guard var local = nextMatch(from: from) else { return nil }
        while local - segment.offset >= segment.end {
            let change = segment.end
            guard change <= Self.searched.upperBound else { return nil }
            segment = zone.segment(at: change)
            // Far from every match, clocks can change often before the next; most changes leave it the next.
            let start = change + segment.offset
            if from...local ~= start { continue }
            guard let found = nextMatch(from: start) else { return nil }
            (from, local) = (start, found)
        }
        return local - segment.offset
    }

    /// The first second after `second` at which the local clock reaches or passes a matching minute for the first time.
    private func nextReached(after second: Int64, in zone: ZoneRules) -> Int64? {
        // Nothing that the clock shows now, or has passed, is still to be reached. In the second pass of a repeated
        // hour that also holds for what is yet to be shown.
        var from = second + zone.segment(at: second).offset + 1
        while let local = nextMatch(from: from) {
            let reached = zone.firstInstant(reaching: local)
            if reached > second { return reached }
            from = local + 1
        }
        return nil
    }

    /// The first matching minute not before `local`; both are local seconds, counted as if local time were UTC.
    private func nextMatch(from local: Int64) -> Int64? {
        let firstMinute = (local + 59).floored(by: 60).quotient
        let (day, minute) = firstMinute.floored(by: 24 * 60)
        let date = CivilDate(daysSinceEpoch: day)
        if matchingDays(of: date.month, in: date.year) & 1 << date.day != 0, let time = firstTime(from: Int(minute)) {
            return day * 86_400 + Int64(time) * 60
        }
        guard let day = firstDay(after: date), let time = firstTime(from: 0) else { return nil }
        return day * 86_400 + Int64(time) * 60
    }

    /// The first matching minute of a day (0…1439) that is not before `minute`.
    private func firstTime(from minute: Int) -> Int? {
        let (hour, minuteOfHour) = minute.quotientAndRemainder(dividingBy: 60)
        if hours & 1 << hour != 0, let found = Self.lowest(minutes, from: minuteOfHour) { return hour * 60 + found }
        guard let later = Self.lowest(hours, from: hour + 1) else { return nil }
        return later * 60 + minutes.trailingZeroBitCount
    }

    /// The first matching day after `date`, in days since the epoch.
    private func firstDay(after date: CivilDate) -> Int64? {
        var (year, month, day) = (date.year, date.month, date.day + 1)
        // 29 February on a given weekday is the rarest that an expression can ask for: around a century that is no
        // leap year, 40 years apart.
        let lastYear = year + 41
        while year <= lastYear {
            if let found = Self.lowest(matchingDays(of: month, in: year), from: day) {
                return CivilDate.daysSinceEpoch(year: year, month: month, day: found)
            }
            day = 1
            if let later = Self.lowest(months, from: month + 1) {
                month = later
            } else {
                month = months.trailingZeroBitCount
                year += 1
            }
        }
        return nil
    }

    /// The days of one month that match, one bit a day; none when the month itself does not.
    private func matchingDays(of month: Int, in year: Int64) -> UInt64 {
        guard months & 1 << month != 0 else { return 0 }
        let existing = lowBits(through: CivilDate.days(inMonth: month, of: year)) & ~1
        let weekdayOfFirst = CivilDate.weekday(
            daysSinceEpoch: CivilDate.daysSinceEpoch(year: year, month: month, day: 1))
        // The week over and over (bits 0, 7, 14 … 35 repeat it), shifted so that bit 1 is the first of the month.
        let weeks = daysOfWeek &* 0x8_1020_4081
        let byWeekday = (weeks >> weekdayOfFirst) << 1
        return existing & (eitherDay ? daysOfMonth | byWeekday : daysOfMonth & byWeekday)
    }

    /// The lowest bit of `set` that is not below `bit`.
    private static func lowest(_ set: UInt64, from bit: Int) -> Int? {
        let rest = (set >> bit) << bit
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }
}
