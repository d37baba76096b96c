import SpoolFormat

/// JSON as agents write it. It is read as strictly as everything else, but for two faults that real ones make: text that
/// was cut in the middle of a character, which leaves bytes that are no UTF-8, or half of a surrogate pair.
enum AgentJSON {
    static func read(_ bytes: [UInt8]) -> JSON? {
        if let value = try? JSONReader.read(bytes) { return value }
        guard looksLikeJSON(bytes) else { return nil }
        return try? JSONReader.read(repairSurrogates(Array(String(decoding: bytes, as: UTF8.self).utf8)))
    }

    /// A JSON object on a line of its own; anything else is noise.
    static func object(onLine bytes: [UInt8]) -> JSON? {
        guard looksLikeJSON(bytes), let value = read(bytes), value.object != nil else { return nil }
        return value
    }

    private static func looksLikeJSON(_ bytes: [UInt8]) -> Bool {
        let first = bytes.first { $0 != 0x20 && $0 != 0x09 }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    /// The same text with `\ufffd` for each half of a surrogate pair that stands alone.
    private static func repairSurrogates(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        var at = 0
        while at < result.count {
            guard result[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            switch unit(in: result, at: at) ?? 0 {
            case 0xD800..<0xDC00:
                let next = unit(in: result, at: at + 6)
                if let next, (0xDC00..<0xE000).contains(next) { at += 12 } else { replace(in: &result, at: &at) }
            case 0xDC00..<0xE000: replace(in: &result, at: &at)
            default: at += 2
            }
        }
        return result
    }

    private static func replace(in bytes: inout [UInt8], at place: inout Int) {
        bytes.replaceSubrange((place + 2)..<(place + 6), with: "fffd".utf8)
        place += 6
    }

    /// The number of `\u1234`, where one stands here.
    private static func unit(in bytes: [UInt8], at place: Int) -> Int? {
        guard place + 6 <= bytes.count, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u") else { return nil }
        return Int(String(decoding: bytes[(place + 2)..<(place + 6)], as: UTF8.self), radix: 16)
    }
}
