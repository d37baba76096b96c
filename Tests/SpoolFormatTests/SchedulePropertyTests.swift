import Testing

@testable import SpoolFormat

/// Random expressions from random instants, against the most simple-minded search there is.
@Suite struct SchedulePropertyTests {
    @Test(arguments: ["UTC", "Europe/Berlin", "Australia/Lord_Howe"], 1...4)
    func agreesWithAScanOfEveryMinute(_ zoneName: String, _ seed: Int) throws {
        let zone = try ZoneRules.named(zoneName)
        var random = SplitMix64(state: UInt64(seed))
        // Days on which clocks change in Berlin or on Lord Howe Island, 29 February, and a year's end.
        let starts = [
            "2024-03-30T06:00", "2024-10-26T06:00", "2024-04-06T00:00", "2024-10-05T00:00", "2028-02-27T12:00",
            "2025-12-30T18:00", "2050-03-26T12:00", "2050-10-29T12:00",
        ]
        for _ in 0..<40 {
            let cron = RandomCron(using: &random)
            let day = instant(starts.randomElement(using: &random)!)
            let start = day + Int64.random(in: 0..<86_400_000, using: &random)
            let end = start + 3 * 86_400_000
            let recurrence = Recurrence.cron(try CronExpression(cron.text), zone)
            let found = recurrence.firings(after: start, through: end, limit: .max)
            let scanned = cron.scan(after: start, through: end, in: zone)
            #expect(recurrence.last(after: start, through: end) == scanned.last, "\(cron.text) in \(zoneName) before \(end)")
            #expect(found == scanned, "\(cron.text) in \(zoneName) after \(start)")
        }
    }
}

/// An expression that was made from sets of numbers, and so can be judged without reading it.
struct RandomCron {
    var fields: [Set<Int>] = []
    var stars: [Bool] = []
    var text = ""

    init(using random: inout SplitMix64) {
        let ranges = [0...59, 0...23, 1...31, 1...12, 0...6]
        let texts = ranges.map { range in
            var items: [String] = []
            var values: Set<Int> = []
            // Minutes and hours are seldom bare stars, or there would be little to find; days mostly are.
            let plain = range.upperBound >= 23 && range.lowerBound == 0 ? 0.15 : 0.6
            if Double.random(in: 0..<1, using: &random) < plain {
                items = ["*"]
                values = Set(range)
            } else {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let low = Int.random(in: range, using: &random)
                    let high = Int.random(in: low...range.upperBound, using: &random)
                    let step = Int.random(in: 1...range.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0:
                        items.append("\(low)")
                        values.insert(low)
                    case 1:
                        items.append("\(low)-\(high)")
                        values.formUnion(low...high)
                    case 2:
                        items.append("\(low)-\(high)/\(step)")
                        values.formUnion((low...high).filter { ($0 - low) % step == 0 })
                    default:
                        items.append("*/\(step)")
                        values.formUnion(range.filter { ($0 - range.lowerBound) % step == 0 })
                    }
                }
            }
            fields.append(values)
            stars.append(items[0].hasPrefix("*"))
            return items.joined(separator: ",")
        }
        text = texts.joined(separator: " ")
    }

    /// - Parameter local: minutes, counted as if local time were UTC.
    func matches(_ local: Int64) -> Bool {
        let (day, minute) = local.floored(by: 1440)
        let date = CivilDate(daysSinceEpoch: day)
        let byDay = fields[2].contains(date.day)
        let byWeekday = fields[4].contains(date.weekday)
        return fields[0].contains(Int(minute % 60)) && fields[1].contains(Int(minute / 60))
            && fields[3].contains(date.month)
            && (stars[2] || stars[4] ? byDay && byWeekday : byDay || byWeekday)
    }

    func scan(after start: Int64, through end: Int64, in zone: ZoneRules) -> [Int64] {
        let wildcardHour = stars[1] || fields[1].count == 24
        func local(_ minute: Int64) -> Int64 { minute + zone.offset(at: minute * 60_000) / 60 }
        // The latest local minute that clocks have shown: what is not later has had its turn.
        var minute = start.floored(by: 60_000).quotient - 2 * 1440
        var shown = local(minute)
        var firings: [Int64] = []
        while minute * 60_000 <= end {
            let now = local(minute)
            var fires = wildcardHour && matches(now)
            while shown < now {
                shown += 1
                if !wildcardHour, matches(shown) { fires = true }
            }
            if fires, minute * 60_000 > start { firings.append(minute * 60_000) }
            minute += 1
        }
        return firings
    }
}

/// Sebastiano Vigna's SplitMix64 (https://prng.di.unimi.it/splitmix64.c): the same numbers in every run.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
