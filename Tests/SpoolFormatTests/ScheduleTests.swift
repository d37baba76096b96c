import Testing

@testable import SpoolFormat

@Suite struct CronExpressionTests {
    /// Expression, zone, an instant, and the firings that follow it. All instants are UTC. The firings were worked out
    /// by an independent program: a scan of every minute, over the local times of Python's `zoneinfo`.
    static let firings: [(String, String, String, [String])] = [
        // Lists, ranges, steps, names.
        ("*/7 * * * *", "UTC", "2026-01-01T00:48", ["2026-01-01T00:49", "2026-01-01T00:56", "2026-01-01T01:00"]),
        ("0 8-18/5 * * *", "UTC", "2026-01-01T00:00",
            ["2026-01-01T08:00", "2026-01-01T13:00", "2026-01-01T18:00", "2026-01-02T08:00"]),
        ("5,10-12 0 1 jan,jul *", "UTC", "2026-01-01T00:05",
            ["2026-01-01T00:10", "2026-01-01T00:11", "2026-01-01T00:12", "2026-07-01T00:05"]),
        ("0 9 * * mon-fri", "Asia/Kathmandu", "2026-05-08T12:00", ["2026-05-11T03:15", "2026-05-12T03:15"]),
        ("0 0 * * fri-sun", "UTC", "2026-01-01T00:00",
            ["2026-01-02T00:00", "2026-01-03T00:00", "2026-01-04T00:00", "2026-01-09T00:00"]),
        ("0 0 * * 7", "UTC", "2026-01-01T00:00", ["2026-01-04T00:00", "2026-01-11T00:00"]),
        // Month ends and leap days.
        ("0 0 31 * *", "UTC", "2026-01-01T00:00",
            ["2026-01-31T00:00", "2026-03-31T00:00", "2026-05-31T00:00", "2026-07-31T00:00"]),
        ("59 23 28-31 feb *", "UTC", "2027-02-28T00:00",
            ["2027-02-28T23:59", "2028-02-28T23:59", "2028-02-29T23:59"]),
        ("0 0 29 2 *", "UTC", "2096-02-29T00:00", ["2104-02-29T00:00"]),
        // 29 February on a Sunday: the longest wait there is.
        ("0 0 29 2 */7", "UTC", "2088-02-29T00:00", ["2128-02-29T00:00"]),
        // Both day fields restricted: either is enough. One begins with *: both must match.
        ("0 0 13 * fri", "UTC", "2026-01-31T00:00",
            ["2026-02-06T00:00", "2026-02-13T00:00", "2026-02-20T00:00", "2026-02-27T00:00", "2026-03-06T00:00"]),
        ("0 0 */2 * mon", "UTC", "2026-01-01T00:00",
            ["2026-01-05T00:00", "2026-01-19T00:00", "2026-02-09T00:00", "2026-02-23T00:00"]),
        // Clocks go forward: 02:00 becomes 03:00, which is 01:00 UTC.
        ("30 2 * * *", "Europe/Berlin", "2024-03-30T00:00",
            ["2024-03-30T01:30", "2024-03-31T01:00", "2024-04-01T00:30"]),
        ("0,30 2,3 * * *", "Europe/Berlin", "2024-03-30T12:00",
            ["2024-03-31T01:00", "2024-03-31T01:30", "2024-04-01T00:00"]),
        ("*/15 2 * * *", "Europe/Berlin", "2024-03-30T12:00", ["2024-03-31T01:00", "2024-04-01T00:00"]),
        ("15 * * * *", "Europe/Berlin", "2024-03-30T23:30",
            ["2024-03-31T00:15", "2024-03-31T01:15", "2024-03-31T02:15"]),
        ("30 */2 * * *", "Europe/Berlin", "2024-03-30T22:00",
            ["2024-03-30T23:30", "2024-03-31T02:30", "2024-03-31T04:30"]),
        ("30 2 * * *", "America/New_York", "2024-03-09T12:00", ["2024-03-10T07:00", "2024-03-11T06:30"]),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", ["2018-11-04T03:00", "2018-11-05T02:00"]),
        // Clocks go back: 03:00 becomes 02:00.
        ("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00", ["2024-10-27T00:30", "2024-10-28T01:30"]),
        ("30 2 * * *", "Europe/Berlin", "2024-10-27T01:00", ["2024-10-28T01:30"]),
        ("*/30 2 * * *", "Europe/Berlin", "2024-10-26T12:00",
            ["2024-10-27T00:00", "2024-10-27T00:30", "2024-10-28T01:00"]),
        ("0 3 * * *", "Europe/Berlin", "2024-10-26T12:00", ["2024-10-27T02:00"]),
        ("30 * * * *", "Europe/Berlin", "2024-10-26T23:45",
            ["2024-10-27T00:30", "2024-10-27T01:30", "2024-10-27T02:30"]),
        ("30 0-23 * * *", "Europe/Berlin", "2024-10-26T23:45",
            ["2024-10-27T00:30", "2024-10-27T01:30", "2024-10-27T02:30"]),
        ("30 1 * * *", "America/New_York", "2024-11-02T12:00", ["2024-11-03T05:30", "2024-11-04T06:30"]),
        ("59 1 3 nov *", "America/New_York", "2024-11-03T05:30", ["2024-11-03T05:59"]),
        ("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00", ["2018-02-18T01:30", "2018-02-19T02:30"]),
        // Half an hour.
        ("15 2 * * *", "Australia/Lord_Howe", "2024-10-04T20:00",
            ["2024-10-05T15:30", "2024-10-06T15:15", "2024-10-07T15:15"]),
        ("30 2 * * *", "Australia/Lord_Howe", "2024-10-04T20:00", ["2024-10-05T15:30", "2024-10-06T15:30"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2024-04-05T20:00", ["2024-04-06T14:45", "2024-04-07T15:15"]),
        ("45 * * * *", "Australia/Lord_Howe", "2024-04-06T13:50",
            ["2024-04-06T14:45", "2024-04-06T15:15", "2024-04-06T16:15"]),
        // A day that was left out.
        ("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00",
            ["2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00"]),
        // Past the tables, where only the rule is left.
        ("30 2 * * *", "Europe/Berlin", "2061-03-26T00:00",
            ["2061-03-26T01:30", "2061-03-27T01:00", "2061-03-28T00:30"]),
        ("30 2 * * sun", "America/New_York", "2050-11-05T12:00", ["2050-11-06T07:30", "2050-11-13T07:30"]),
    ]

    @Test(arguments: firings) func fires(_ text: String, _ zone: String, _ after: String, _ expected: [String]) throws {
        let recurrence = Recurrence.cron(try CronExpression(text), try ZoneRules.named(zone))
        let found = recurrence.firings(after: instant(after), through: .max, limit: expected.count)
        #expect(found.map(written) == expected)
    }

    @Test func isStrictlyLaterToTheMillisecond() throws {
        let hourly = try CronExpression("@hourly")
        #expect(hourly.next(after: -1, in: .utc) == 0)
        #expect(hourly.next(after: 0, in: .utc) == 3_600_000)
        #expect(hourly.next(after: 3_599_999, in: .utc) == 3_600_000)
        #expect(hourly.next(after: -3_600_001, in: .utc) == -3_600_000)
    }

    @Test(arguments: ["0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *", "0 0 31 2 */2"])
    func neverFires(_ text: String) throws {
        let expression = try CronExpression(text)
        #expect(!expression.canFire)
        #expect(expression.next(after: 0, in: .utc) == nil)
    }

    @Test func aWeekdayMakesAnImpossibleDatePossible() throws {
        let expression = try CronExpression("0 0 31 2 mon")
        #expect(expression.next(after: instant("2026-01-01T00:00"), in: .utc) == instant("2026-02-02T00:00"))
    }

    @Test func endsWithTheYear9999() throws {
        let yearly = try CronExpression("@yearly")
        #expect(yearly.next(after: instant("9998-06-01T00:00"), in: .utc) == instant("9999-01-01T00:00"))
        #expect(yearly.next(after: instant("9999-06-01T00:00"), in: .utc) == nil)
        #expect(yearly.next(after: .max, in: .utc) == nil)
        #expect(yearly.next(after: .min, in: .utc) == instant("0002-01-01T00:00"))
    }

    @Test(arguments: [
        ("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@Midnight", "0 0 * * *"), ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"), ("@ANNUALLY", "0 0 1 1 *"),
        ("0 0 1 JAN,dEc Mon-Fri", "0 0 1 1,12 1-5"), ("  5\t05  * *   * ", "5 5 * * *"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * sun-tue", "0 0 * * 0-2"), ("0 0 * * 5-0", "0 0 * * fri,sat,sun"), ("*/60 * * * *", "0 * * * *"),
    ])
    func meansTheSame(_ one: String, _ other: String) throws {
        let (one, other) = (try CronExpression(one), try CronExpression(other))
        let start = instant("2026-01-01T00:00")
        let firings = [one, other].map {
            Recurrence.cron($0, .utc).firings(after: start, through: .max, limit: 50)
        }
        #expect(firings[0] == firings[1])
    }

    private static let layout = "five fields: minute hour day-of-month month day-of-week"

    static let faults: [(String, String)] = [
        ("", "expression: nothing at column 1; expected \(layout)"),
        ("0 24 * * *", "hour: \"24\" at column 3; expected a number from 0 to 23"),
        ("60 * * * *", "minute: \"60\" at column 1; expected a number from 0 to 59"),
        ("0 0 0 * *", "day-of-month: \"0\" at column 5; expected a number from 1 to 31"),
        ("0 0 * foo *", "month: \"foo\" at column 7; expected a number from 1 to 12 or a name from jan to dec"),
        ("0 0 * * 1,monday",
            "day-of-week: \"monday\" at column 11; expected a number from 0 to 7 or a name from sun to sat"),
        ("0 0 ? * *", "day-of-month: \"?\" at column 5; expected a number from 1 to 31"),
        ("*/0 * * * *", "minute: \"0\" at column 3; expected a step from 1 to 60"),
        ("*/90 * * * *", "minute: \"90\" at column 3; expected a step from 1 to 60"),
        ("*/ * * * *", "minute: nothing at column 3; expected a step from 1 to 60"),
        ("5/15 * * * *", "minute: \"5/15\" at column 1; expected * or a range, such as 0-59, before /"),
        ("0 22-5 * * *", "hour: \"22-5\" at column 3; expected a range that goes up"),
        ("0 0 * * 7-2", "day-of-week: \"7-2\" at column 9; expected a range that goes up"),
        ("0 1-2-3 * * *", "hour: \"-3\" at column 6; expected a comma, or the end of the field"),
        ("*5 * * * *", "minute: \"5\" at column 2; expected a comma, or the end of the field"),
        ("1,,2 * * * *", "minute: nothing at column 3; expected a number from 0 to 59"),
        ("1, * * * *", "minute: nothing at column 3; expected a number from 0 to 59"),
        (", * * * *", "minute: nothing at column 1; expected a number from 0 to 59"),
        ("99999999999999999999 * * * *",
            "minute: \"99999999999999999999\" at column 1; expected a number from 0 to 59"),
        ("٣ * * * *", "minute: \"٣\" at column 1; expected a number from 0 to 59"),
        ("0 0 * *", "day-of-week: nothing at column 8; expected \(layout)"),
        ("0 0 0 * * *", "day-of-month: \"0\" at column 5; expected a number from 1 to 31"),
        ("0 0 1 * * 2026", "expression: \"2026\" at column 11; expected nothing after \(layout)"),
        ("@reboot",
            "expression: \"@reboot\" at column 1; expected one of @hourly @daily @midnight @weekly @monthly @yearly "
                + "@annually, or \(layout)"),
        ("@daily 5", "expression: \"5\" at column 8; expected nothing after @daily"),
    ]

    @Test(arguments: faults) func refuses(_ text: String, _ message: String) {
        let fault = #expect(throws: CronFault.self) { try CronExpression(text) }
        #expect(fault?.description == message)
    }
}

@Suite struct RecurrenceTests {
    @Test func intervalsAreAlignedToTheirAnchor() {
        let quarter = Recurrence.every(milliseconds: 900_000)
        #expect(quarter.next(after: 0) == 900_000)
        #expect(quarter.next(after: 899_999) == 900_000)
        #expect(quarter.next(after: 900_000) == 1_800_000)
        #expect(quarter.next(after: -1) == 0)
        #expect(quarter.next(after: -900_001) == -900_000)
        let shifted = Recurrence.every(milliseconds: 1000, anchor: 5_250)
        #expect(shifted.next(after: 0) == 250)
        #expect(shifted.next(after: 250) == 1250)
        #expect(shifted.next(after: -251) == 250)
        #expect(shifted.next(after: -751) == -750)
        #expect(Recurrence.every(milliseconds: 1000, anchor: -250).next(after: 0) == 750)
    }

    @Test func intervalsDoNotOverflow() {
        #expect(Recurrence.every(milliseconds: 1000).next(after: .max) == nil)
        #expect(Recurrence.every(milliseconds: .max, anchor: .min).next(after: .min) == .min + .max)
        #expect(Recurrence.every(milliseconds: 7, anchor: .max).next(after: .min) == .min + 1)
        #expect(Recurrence.every(milliseconds: 0).next(after: 0) == nil)
        #expect(Recurrence.every(milliseconds: -5).next(after: 0) == nil)
    }

    @Test func firingsAreBoundedOnBothSides() {
        let every = Recurrence.every(milliseconds: 10)
        #expect(every.firings(after: 0, through: 30, limit: 100) == [10, 20, 30])
        #expect(every.firings(after: 0, through: 29, limit: 100) == [10, 20])
        #expect(every.firings(after: 0, through: .max, limit: 2) == [10, 20])
        #expect(every.firings(after: 30, through: 10, limit: 2) == [])
        #expect(every.firings(after: 0, through: 30, limit: 0) == [])
    }
}

/// Milliseconds since the epoch of a UTC time such as `2026-05-09T12:30`.
func instant(_ text: String) -> Int64 {
    let parts = text.split { "-T:".contains($0) }.map { Int($0)! }
    let date = CivilDate(year: Int64(parts[0]), month: parts[1], day: parts[2])!
    return ((date.daysSinceEpoch * 24 + Int64(parts[3])) * 60 + Int64(parts[4])) * 60_000
}

/// The opposite of `instant`.
func written(_ instant: Int64) -> String {
    let (day, rest) = instant.floored(by: 86_400_000)
    func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
    return "\(CivilDate(daysSinceEpoch: day))T\(two(rest / 3_600_000)):\(two(rest / 60_000 % 60))"
}
