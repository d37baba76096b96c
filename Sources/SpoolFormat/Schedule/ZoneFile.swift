extension ZoneRules {
    /// Reads the contents of a TZif file (RFC 9636), version 1 or later.
    /// - Throws: `ZoneFault` `malformed` or `leapSeconds`.
    init(name: String, tzif bytes: [UInt8]) throws(ZoneFault) {
        var reader = ZoneFileReader(name: name, bytes: bytes)
        self = try reader.rules()
    }
}

private struct ZoneFileReader {
    let name: String
    let bytes: [UInt8]
    var at = 0

    /// RFC 9636 §3.1.
    struct Header {
        var version: UInt8
        var utIndicators, standardIndicators, leapSeconds, transitions, types, characters: Int

        func size(ofTimes width: Int) -> Int {
            transitions * (width + 1) + types * 6 + characters + leapSeconds * (width + 4)
                + standardIndicators + utIndicators
        }
    }

    mutating func rules() throws(ZoneFault) -> ZoneRules {
        let old = try header()
        guard old.version >= UInt8(ascii: "2") else { return try block(old, width: 4) }
        // Newer versions repeat everything with 64-bit times; the first block is for old readers.
        try require(old.size(ofTimes: 4))
        at += old.size(ofTimes: 4)
        return try block(try header(), width: 8)
    }

    private mutating func header() throws(ZoneFault) -> Header {
        try require(44)
        guard bytes[at..<at + 4].elementsEqual("TZif".utf8) else { throw malformed("a file that begins with TZif") }
        let version = bytes[at + 4]
        at += 20
        func count(_ index: Int) -> Int { Int(integer(at: at + index * 4, width: 4) & 0xFFFF_FFFF) }
        let header = Header(
            version: version, utIndicators: count(0), standardIndicators: count(1), leapSeconds: count(2),
            transitions: count(3), types: count(4), characters: count(5))
        at += 24
        return header
    }

    /// The data block of a header (RFC 9636 §3.2), and the footer that follows if times are 64 bits wide.
    private mutating func block(_ header: Header, width: Int) throws(ZoneFault) -> ZoneRules {
        try require(header.size(ofTimes: width))
        guard header.types > 0 else { throw malformed("at least one local time type") }
        guard header.leapSeconds == 0 else {
            throw ZoneFault(.leapSeconds, name, expected: "a zone that does not count leap seconds")
        }
        let indices = at + header.transitions * width
        let types = indices + header.transitions
        func offset(ofType type: Int) throws(ZoneFault) -> Int64 {
            guard type < header.types else { throw malformed("local time types that the file defines") }
            let offset = integer(at: types + type * 6, width: 4)
            guard offset > -25 * 3600, offset < ZoneRules.offsetBound else {
                throw malformed("offsets between -25 and +26 hours")
            }
            return offset
        }
        var transitions: [Int64] = []
        // Before the first transition, type 0 holds.
        var offsets = [try offset(ofType: 0)]
        for index in 0..<header.transitions {
            let instant = integer(at: at + index * width, width: width)
            guard instant > transitions.last ?? .min else { throw malformed("transitions in ascending order") }
            transitions.append(instant)
            offsets.append(try offset(ofType: Int(bytes[indices + index])))
        }
        at += header.size(ofTimes: width)
        let footer = width == 8 ? try footer() : nil
        return ZoneRules(name: name, transitions: transitions, offsets: offsets, footer: footer)
    }

    /// A `TZ` string between two line feeds; empty when nothing is known about later times.
    private func footer() throws(ZoneFault) -> PosixZoneRule? {
        guard at < bytes.count, bytes[at] == 0x0A, let end = bytes[(at + 1)...].firstIndex(of: 0x0A) else {
            throw malformed("a footer between two line feeds")
        }
        if end == at + 1 { return nil }
        guard let rule = PosixZoneRule(bytes[at + 1..<end]) else { throw malformed("a POSIX TZ string as footer") }
        return rule
    }

    /// A big-endian two's-complement number.
    private func integer(at start: Int, width: Int) -> Int64 {
        let pattern = bytes[start..<start + width].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return width == 8 ? Int64(bitPattern: pattern) : Int64(Int32(truncatingIfNeeded: pattern))
    }

    private func require(_ count: Int) throws(ZoneFault) {
        guard bytes.count - at >= count else { throw malformed("a TZif file that is complete") }
    }

    private func malformed(_ expected: String) -> ZoneFault { ZoneFault(.malformed, name, expected: expected) }
}
