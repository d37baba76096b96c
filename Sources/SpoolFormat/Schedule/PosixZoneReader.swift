extension PosixZoneRule {
    /// Reads a POSIX `TZ` string. Summer time without dates, which POSIX leaves open, is refused.
    init?(_ text: some Sequence<UInt8>) {
        var reader = PosixZoneReader(bytes: Array(text))
        guard let rule = reader.rule() else { return nil }
        self = rule
    }

    fileprivate init(offset: Int64, summer: Summer?) {
        standard = offset
        self.summer = summer
    }
}

private struct PosixZoneReader {
    let bytes: [UInt8]
    var at = 0

    mutating func rule() -> PosixZoneRule? {
        guard name(), let west = offset() else { return nil }
        if at == bytes.count { return PosixZoneRule(offset: -west, summer: nil) }
        guard name() else { return nil }
        var summerWest = west - 3600
        if at < bytes.count, bytes[at] != UInt8(ascii: ",") {
            guard let explicit = offset() else { return nil }
            summerWest = explicit
        }
        guard let start = change(), let end = change(), at == bytes.count else { return nil }
        return PosixZoneRule(offset: -west, summer: .init(offset: -summerWest, start: start, end: end))
    }

    /// At least three letters, or letters, digits and signs in angle brackets. Its text is not needed.
    private mutating func name() -> Bool {
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
        let quoted = take("<")
        let start = at
        while at < bytes.count {
            let byte = bytes[at]
            let fits = isLetter(byte) || quoted && (isDigit(byte) || byte == 0x2B || byte == 0x2D)
            guard fits else { break }
            at += 1
        }
        return at - start >= 3 && (!quoted || take(">"))
    }

    /// Seconds west of UTC, as POSIX counts.
    private mutating func offset() -> Int64? { time(hours: 24) }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private mutating func time(hours most: Int64) -> Int64? {
        let sign: Int64 = take("-") ? -1 : 1
        if sign > 0 { _ = take("+") }
        guard let hours = number(0...most) else { return nil }
        var seconds = hours * 3600
        if take(":") {
            guard let minutes = number(0...59) else { return nil }
            seconds += minutes * 60
            if take(":") {
                guard let more = number(0...59) else { return nil }
                seconds += more
            }
        }
        return sign * seconds
    }

    /// `,date[/time]`; the time is 02:00 when left out.
    private mutating func change() -> PosixZoneRule.Change? {
        guard take(","), let day = day() else { return nil }
        guard take("/") else { return .init(day: day, time: 2 * 3600) }
        guard let time = time(hours: 167) else { return nil }
        return .init(day: day, time: time)
    }

    private mutating func day() -> PosixZoneRule.Day? {
        if take("J") { return number(1...365).map { .julian($0) } }
        guard take("M") else { return number(0...365).map { .zeroBased($0) } }
        guard let month = number(1...12), take("."), let week = number(1...5), take("."), let weekday = number(0...6)
        else { return nil }
        return .weekday(month: Int(month), week: Int(week), weekday: Int(weekday))
    }

    private mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
        let start = at
        var value: Int64 = 0
        while at < bytes.count, at - start < 4, isDigit(bytes[at]) {
            value = value * 10 + Int64(bytes[at] - 0x30)
            at += 1
        }
        return at > start && range.contains(value) ? value : nil
    }

    private mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: sign) else { return false }
        at += 1
        return true
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
