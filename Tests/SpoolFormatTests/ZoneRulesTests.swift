import Testing

@testable import SpoolFormat

@Suite struct CivilDateTests {
    @Test(arguments: [
        (0, "1970-01-01", 4), (-1, "1969-12-31", 3), (11_016, "2000-02-29", 2), (11_017, "2000-03-01", 3),
        (-25_510, "1900-02-27", 2), (-25_509, "1900-02-28", 3), (-25_508, "1900-03-01", 4), (19_782, "2024-02-29", 4),
        (-719_162, "0001-01-01", 1), (2_932_896, "9999-12-31", 5),
    ] as [(Int64, String, Int)])
    func isTheDay(_ days: Int64, _ written: String, _ weekday: Int) {
        let date = CivilDate(daysSinceEpoch: days)
        #expect(date.description == written)
        #expect(date.daysSinceEpoch == days)
        #expect(date.weekday == weekday)
    }

    @Test func countsEveryDayOnce() {
        var last = CivilDate(daysSinceEpoch: -200_001)
        for days in Int64(-200_000)...200_000 {
            let date = CivilDate(daysSinceEpoch: days)
            let turned = date.day == 1 && last.day == CivilDate.days(inMonth: last.month, of: last.year)
            guard date.daysSinceEpoch == days, last < date, turned || date.day == last.day + 1 else {
                Issue.record("\(last) is followed by \(date)")
                return
            }
            last = date
        }
    }

    @Test func refusesDaysThatAreNone() {
        #expect(CivilDate(year: 2023, month: 2, day: 29) == nil)
        #expect(CivilDate(year: 2100, month: 2, day: 29) == nil)
        #expect(CivilDate(year: 2000, month: 2, day: 29) != nil)
        #expect(CivilDate(year: 2000, month: 4, day: 31) == nil)
        #expect(CivilDate(year: 2000, month: 0, day: 1) == nil)
        #expect(CivilDate(year: 2000, month: 13, day: 1) == nil)
        #expect(CivilDate(year: 2000, month: 1, day: 0) == nil)
        #expect(CivilDate(year: .max, month: 1, day: 1) == nil)
    }
}

@Suite struct ZoneRulesTests {
    /// Seconds since the epoch, and seconds east of UTC, as Python's `zoneinfo` has them.
    static let offsets: [(String, Int64, Int64)] = [
        ("UTC", 0, 0),
        ("Europe/Berlin", -867_974_400, 7200),  // 1942-07-01T00:00:00Z
        ("Europe/Berlin", 1_711_846_799, 3600),  // 2024-03-31T00:59:59Z
        ("Europe/Berlin", 1_711_846_800, 7200),
        ("Europe/Berlin", 1_729_990_799, 7200),  // 2024-10-27T00:59:59Z
        ("Europe/Berlin", 1_729_990_800, 3600),
        ("Europe/Berlin", 2_145_830_400, 3600),  // 2037-12-31T00:00:00Z
        ("Europe/Berlin", 2_879_110_799, 3600),  // 2061-03-27T00:59:59Z
        ("Europe/Berlin", 2_879_110_800, 7200),
        ("Europe/Berlin", 13_585_190_400, 7200),  // 2400-07-01T00:00:00Z
        ("America/New_York", -2_717_650_801, -17_762),  // 1883-11-18T16:59:59Z, local mean time
        ("America/New_York", 1_173_596_400, -14_400),  // 2007-03-11T07:00:00Z
        ("America/New_York", 2_530_767_599, -18_000),  // 2050-03-13T06:59:59Z
        ("America/New_York", 2_530_767_600, -14_400),
        ("America/New_York", 2_551_327_200, -18_000),  // 2050-11-06T06:00:00Z
        ("Australia/Lord_Howe", 1_696_087_799, 37_800),  // 2023-09-30T15:29:59Z
        ("Australia/Lord_Howe", 1_696_087_800, 39_600),
        ("Australia/Lord_Howe", 2_374_671_599, 39_600),  // 2045-04-01T14:59:59Z
        ("Australia/Lord_Howe", 2_374_671_600, 37_800),
        ("Europe/Dublin", 2_336_428_800, 0),  // 2044-01-15; its summer time is the standard
        ("Europe/Dublin", 2_352_153_600, 3600),
        ("Asia/Kathmandu", 1_704_067_200, 20_700),
        ("Pacific/Apia", 1_325_239_199, -36_000),  // 2011-12-30T09:59:59Z
        ("Pacific/Apia", 1_325_239_200, 50_400),
        ("America/Nuuk", 2_216_246_399, -7200),  // 2040-03-24T23:59:59Z; changes on the day before a Sunday
        ("America/Nuuk", 2_216_250_000, -3600),
    ]

    @Test(arguments: offsets) func hasTheOffset(_ name: String, _ second: Int64, _ offset: Int64) throws {
        let zone = try ZoneRules.named(name)
        #expect(zone.offset(at: second * 1000) == offset)
        #expect(zone.offset(at: second * 1000 + 999) == offset)
    }

    @Test(arguments: [
        ("UTC", "2024-03-31T02:30", ["2024-03-31T02:30"]),
        ("Europe/Berlin", "2024-03-31T01:59", ["2024-03-31T00:59"]),
        ("Europe/Berlin", "2024-03-31T02:00", []),
        ("Europe/Berlin", "2024-03-31T02:59", []),
        ("Europe/Berlin", "2024-03-31T03:00", ["2024-03-31T01:00"]),
        ("Europe/Berlin", "2024-10-27T01:59", ["2024-10-26T23:59"]),
        ("Europe/Berlin", "2024-10-27T02:00", ["2024-10-27T00:00", "2024-10-27T01:00"]),
        ("Europe/Berlin", "2024-10-27T02:59", ["2024-10-27T00:59", "2024-10-27T01:59"]),
        ("Europe/Berlin", "2024-10-27T03:00", ["2024-10-27T02:00"]),
        ("Europe/Berlin", "2061-03-27T02:30", []),
        ("Europe/Berlin", "2061-10-30T02:30", ["2061-10-30T00:30", "2061-10-30T01:30"]),
        ("America/New_York", "2024-11-03T01:30", ["2024-11-03T05:30", "2024-11-03T06:30"]),
        ("Australia/Lord_Howe", "2024-10-06T02:15", []),
        ("Australia/Lord_Howe", "2024-10-06T02:30", ["2024-10-05T15:30"]),
        ("Australia/Lord_Howe", "2024-04-07T01:45", ["2024-04-06T14:45", "2024-04-06T15:15"]),
        ("Pacific/Apia", "2011-12-30T12:00", []),
    ])
    func findsInstants(_ name: String, _ local: String, _ expected: [String]) throws {
        let (day, rest) = instant(local).floored(by: 86_400_000)
        let found = try ZoneRules.named(name).instants(
            of: CivilDate(daysSinceEpoch: day), hour: Int(rest / 3_600_000), minute: Int(rest / 60_000 % 60))
        #expect(found.map(written) == expected)
    }

    @Test func utcNeedsNoDatabase() throws {
        let nowhere = ZoneDatabase(directory: "/nonexistent")
        #expect(try nowhere.local(tz: "UTC") == .utc)
        #expect(try nowhere.local(tz: nil, localtime: "/nonexistent/localtime") == .utc)
        let fault = #expect(throws: ZoneFault.self) { try nowhere.zone("Europe/Berlin") }
        #expect(fault?.code == .noDatabase)
    }

    @Test(arguments: [
        "", "/etc/localtime", "../../etc/passwd", "Europe/../UTC", "Europe//Berlin", "./UTC", "UTC/", "a\0b",
    ])
    func refusesNamesThatLeadElsewhere(_ name: String) {
        let fault = #expect(throws: ZoneFault.self) { try ZoneRules.named(name) }
        #expect(fault?.code == .badName)
    }

    @Test(arguments: [
        ("Europe/Berln", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("Berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"), ("utc", "UTC"), ("Nowhere/Land", nil), ("Europe", nil),
    ] as [(String, String?)])
    func suggestsTheZoneThatWasMeant(_ name: String, _ suggestion: String?) {
        let fault = #expect(throws: ZoneFault.self) { try ZoneRules.named(name) }
        #expect(fault?.code == .unknown)
        #expect(fault?.suggestion == suggestion)
    }

    @Test func saysWhatIsWrong() {
        let fault = ZoneFault(.unknown, "Europe/Berln", expected: "a zone", suggestion: "Europe/Berlin")
        #expect(fault.description == "time zone \"Europe/Berln\": expected a zone; did you mean \"Europe/Berlin\"?")
    }

    @Test func localFollowsTZ() throws {
        let database = ZoneDatabase.system
        let berlin = try ZoneRules.named("Europe/Berlin")
        #expect(try database.local(tz: "") == .utc)
        #expect(try database.local(tz: "Europe/Berlin") == berlin)
        #expect(try database.local(tz: ":Europe/Berlin") == berlin)
        #expect(try database.local(tz: ":\(database.directory)/Europe/Berlin") == berlin)
        #expect(try database.local(tz: nil, localtime: "\(database.directory)/Europe/Berlin").name == "Europe/Berlin")
        #expect(try database.local(tz: "CET-1CEST,M3.5.0,M10.5.0/3").offset(at: instant("2024-07-01T00:00")) == 7200)
        #expect(throws: ZoneFault.self) { try database.local(tz: "Mars/Base") }
        #expect(throws: ZoneFault.self) { try database.local(tz: "/nonexistent") }
    }
}

@Suite struct PosixZoneRuleTests {
    @Test(arguments: [
        ("UTC0", "2024-07-01T00:00", 0),
        ("<+0545>-5:45", "2024-07-01T00:00", 20_700),
        ("EST5EDT,M3.2.0,M11.1.0", "2024-07-01T00:00", -14_400),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2024-01-01T00:00", 39_600),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2024-07-01T00:00", 36_000),
        // Summer time all year (RFC 9636 §3.3.2), seen on both sides of New Year.
        ("XXX3EDT4,0/0,J365/23", "2023-12-31T23:59", -14_400),
        ("XXX3EDT4,0/0,J365/23", "2024-01-01T03:30", -14_400),
        ("XXX3EDT4,0/0,J365/23", "2024-12-31T23:59", -14_400),
        // Day 60 of J counting is 1 March in every year; of counting from 0 it is 29 February plus one in leap years.
        ("AAA0BBB,J60/0,J300", "2024-02-29T23:59", 0),
        ("AAA0BBB,J60/0,J300", "2024-03-01T00:00", 3600),
        ("AAA0BBB,59/0,J300", "2024-02-29T00:00", 3600),
        ("AAA0BBB,59/0,J300", "2023-03-01T00:00", 3600),
        ("AAA0BBB,59/0,J300", "2023-02-28T23:59", 0),
        // Times of change outside the day.
        ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2024-03-29T23:59", 7200),
        ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2024-03-30T00:00", 10_800),
    ] as [(String, String, Int64)])
    func hasTheOffset(_ text: String, _ at: String, _ offset: Int64) throws {
        let rule = try #require(PosixZoneRule(text.utf8))
        #expect(rule.segment(at: instant(at) / 1000).offset == offset)
    }

    @Test(arguments: [
        "", "UT0", "UTC", "UTC25", "UTC0:60", "<UTC0", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,M11.1.0,",
        "EST5EDT,M0.2.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J5", "EST5EDT,366,5",
        "EST5EDT,M3.2.0/168,M11.1.0", "UTC0 ",
    ])
    func refuses(_ text: String) { #expect(PosixZoneRule(text.utf8) == nil) }
}

@Suite struct ZoneFileTests {
    /// A version 2 file with one transition: to +1 h at second 1000.
    static func file(
        at transition: [Int64] = [1000], types: [UInt8] = [1], offset: Int32 = 3600, leap: UInt8 = 0,
        footer: String = "\nXXX-1\n"
    ) -> [UInt8] {
        func header(_ times: Int, _ typeCount: UInt8, _ leap: UInt8) -> [UInt8] {
            Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15 + 4 + 4) + [0, 0, 0, leap] + [0, 0, 0, UInt8(times)]
                + [0, 0, 0, typeCount] + [0, 0, 0, 4]
        }
        func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
            withUnsafeBytes(of: number.bigEndian) { Array($0) }
        }
        let old = header(0, 1, 0) + big(Int32(0)) + [0, 0] + Array("UTC\0".utf8)
        let body = transition.flatMap { big($0) } + types + big(Int32(0)) + [0, 0] + big(offset) + [0, 0]
        return old + header(transition.count, 2, leap) + body + Array("UTC\0".utf8)
            + [UInt8](repeating: 0, count: 12 * Int(leap)) + Array(footer.utf8)
    }

    @Test func readsTableAndFooter() throws {
        let zone = try ZoneRules(name: "X", tzif: Self.file())
        #expect(zone.offset(at: 999_999) == 0)
        #expect(zone.offset(at: 1_000_000) == 3600)
        #expect(try ZoneRules(name: "X", tzif: Self.file(footer: "\n\n")).offset(at: 1_000_000) == 3600)
    }

    @Test(arguments: [
        ([], "a TZif file that is complete"),
        ([UInt8](repeating: 0, count: 100), "a file that begins with TZif"),
        (file(at: [5, 5], types: [1, 1]), "transitions in ascending order"),
        (file(types: [2]), "local time types that the file defines"),
        (file(offset: 26 * 3600), "offsets between -25 and +26 hours"),
        (file(footer: ""), "a footer between two line feeds"),
        (file(footer: "\nnonsense\n"), "a POSIX TZ string as footer"),
        (file(leap: 1), "a zone that does not count leap seconds"),
    ] as [([UInt8], String)])
    func refuses(_ bytes: [UInt8], _ expected: String) {
        let fault = #expect(throws: ZoneFault.self) { try ZoneRules(name: "X", tzif: bytes) }
        #expect(fault?.expected == expected)
    }

    @Test func everyCutIsRefused() {
        let file = Self.file()
        for count in 0..<file.count {
            #expect(throws: ZoneFault.self) { try ZoneRules(name: "X", tzif: Array(file[..<count])) }
        }
    }

    /// Whatever a damaged file says, reading it ends in rules or in an error, and rules can be used.
    @Test func damageIsSurvived() throws {
        var random = SplitMix64(state: 1)
        let expression = try CronExpression("30 2 * * *")
        for _ in 0..<3000 {
            var file = Self.file(footer: "\nCET-1CEST,M3.5.0,M10.5.0/3\n")
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                file[Int.random(in: 0..<file.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let zone = try? ZoneRules(name: "X", tzif: file) else { continue }
            let start = Int64.random(in: -1_000_000_000_000...4_000_000_000_000, using: &random)
            _ = expression.next(after: start, in: zone)
        }
    }
}
