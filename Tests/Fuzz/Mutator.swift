import SpoolFormat

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Makes new inputs from old ones.
struct Mutator {
    var random: SeededGenerator
    let seeds: [[UInt8]]
    /// The seeds that are JSON.
    let values: [JSON]

    init(seed: UInt64, seeds: [[UInt8]]) {
        random = SeededGenerator(state: seed)
        self.seeds = seeds
        values = seeds.compactMap { try? JSONReader.read($0) }
    }

    static let longest = 1 << 16

    /// Pieces that mean something to the readers.
    static let words: [[UInt8]] = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "false", "0", "-", "1e400", "-0", "1E+2", "01", "0.5", "1.", "9223372036854775808",
        "\\u0000", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\u00e9", "\\n", "\\", "\"a\":1", "{\"a\":1}", "[]", "{}", "\"\"", "//", "#", "'",
        "\u{FEFF}", "é", "e\u{301}", "😀", "\u{212A}", "\u{2028}", "\0", "\n", "\r\n", "\t", " ", "[[[[[[[[", "{\"a\":{\"a\":",
        "\"run\":", "\"tasks\":[", "\"cancel\":", "\"retry\":", "\"hold\":", "\"label\":", "\"queue\":", "\"prompt\":", "\"id\":", "\"after\":[0]",
        "\"after\":[1,\"a\"]", "\"timeout\":\"5s\"", "\"delay\":\"1d\"", "\"expires_in\":\"2d\"", "\"not_before\":\"2026-11-21T22:00:00Z\"",
        "\"expires_at\":\"9999-12-31T23:59:60-23:59\"", "\"0000-01-01T00:00:00+00:01\"", "\"env\":{\"A\":{\"from_file\":\"/a\"}}",
        "\"stdin\":{\"file\":\"/\"}", "\"limits\":{\"memory\":\"5K\"}", "\"backoff\":{\"factor\":1e2}", "\"labels\":{\"a\":\"b\"}",
        "\"priority\":\"high\"", "\"priority\":5.0", "\"retries\":3e0", "\"36500d\"", "\"0.4ms\"", "\"1d2h3m4s5ms\"", "\"a=b\"", "ms", "1h30m",
    ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC0, 0xAF], [0xFE, 0xFF]]

    mutating func next() -> [UInt8] {
        if Int.random(in: 0..<3, using: &random) > 0, let value = values.randomElement(using: &random) {
            var value = value
            for _ in 0..<Int.random(in: 1...3, using: &random) { value = changed(value) }
            let bytes = JSONWriter.write(value)
            return bytes.count > Self.longest ? Array(bytes.prefix(Self.longest)) : bytes
        }
        var bytes = seeds.randomElement(using: &random)!
        // Few changes leave much of a task as it was, and reach what is behind the first check.
        let rounds = [1, 1, 1, 2, 2, 3, 5, 16].randomElement(using: &random)!
        for _ in 0..<rounds { mutate(&bytes) }
        return bytes.count > Self.longest ? Array(bytes.prefix(Self.longest)) : bytes
    }

    /// The value with one change at some place, so that it is still JSON.
    private mutating func changed(_ value: JSON) -> JSON {
        let isHere = Int.random(in: 0..<4, using: &random) == 0
        switch value {
        case .object(var object):
            guard !isHere, let name = object.names.randomElement(using: &random) else {
                // A member of another file joins, or replaces its namesake here.
                guard case .object(let other)? = values.randomElement(using: &random),
                    let member = other.members.randomElement(using: &random)
                else { return value }
                object[member.name] = member.value
                return .object(object)
            }
            object[name] = Int.random(in: 0..<8, using: &random) == 0 ? nil : changed(object[name]!)
            return .object(object)
        case .array(var elements):
            guard !isHere, let index = elements.indices.randomElement(using: &random) else { return part(of: values.randomElement(using: &random)!) }
            if Int.random(in: 0..<6, using: &random) == 0 { elements.insert(elements[index], at: index) } else { elements[index] = changed(elements[index]) }
            return .array(elements)
        case .string(let text) where !isHere:
            var bytes = Array(text.utf8)
            mutate(&bytes)
            return .string(String(decoding: bytes, as: UTF8.self))
        case .int(let number) where !isHere:
            return [.int(number &* -1), .int(number &+ 1), .double(Double(number)), .double(Double(number) + 0.5), .int(.max)]
                .randomElement(using: &random)!
        default: return part(of: values.randomElement(using: &random)!)
        }
    }

    /// The value or something in it.
    private mutating func part(of value: JSON) -> JSON {
        let parts = value.array ?? value.object?.members.map(\.value) ?? []
        guard let part = parts.randomElement(using: &random) else { return value }
        return Int.random(in: 0..<3, using: &random) == 0 ? part : self.part(of: part)
    }

    private mutating func range(in bytes: [UInt8], longest: Int = 64) -> Range<Int> {
        let start = Int.random(in: 0...bytes.count, using: &random)
        let length = Int.random(in: 0...min(longest, bytes.count - start), using: &random)
        return start..<(start + length)
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: bytes.removeSubrange(range(in: bytes, longest: 8))
        case 4: bytes.removeSubrange(range(in: bytes))
        case 5:
            let piece = bytes[range(in: bytes)]
            bytes.insert(contentsOf: piece, at: place)
        case 6:
            let other = seeds.randomElement(using: &random)!
            let piece = other[range(in: other, longest: 256)]
            bytes.replaceSubrange(range(in: bytes), with: piece)
        case 7: bytes.removeLast(bytes.count - place)
        default:
            let word = Self.words.randomElement(using: &random)!
            // Between two members, where it can do most.
            let commas = bytes.indices.filter { bytes[$0] == UInt8(ascii: ",") || bytes[$0] == UInt8(ascii: "{") }.prefix(200)
            if Bool.random(using: &random), let comma = commas.randomElement(using: &random) {
                bytes.insert(contentsOf: word + [UInt8(ascii: ",")], at: comma + 1)
            } else if Bool.random(using: &random) {
                bytes.replaceSubrange(range(in: bytes, longest: 8), with: word)
            } else {
                bytes.insert(contentsOf: word, at: place)
            }
        }
    }
}
