import Glibc

/// What a terminal shows again of a long prompt: of one that does not fit into it, some programs show the beginning, some
/// the end, and some paint rows twice. Whatever it is, it is made of pieces of the prompt, one behind the other.
struct PromptEcho {
    /// White space, at which terminals and prompts differ, does not count.
    private let prompt: [UInt8]
    /// Every piece of the prompt of that length, by its hash.
    private let pieces: Set<UInt64>

    private static let piece = 32
    /// Of a shorter prompt the terminal has all, line by line.
    private static let shortest = 2000
    /// Less is not taken for an echo.
    private static let least = 200
    /// What may stand in front of it.
    private static let longestMark = 8
    /// A line that the terminal has put together from many rows may be painted wrongly here and there.
    private static let long = 400
    /// What is known for the prompt's last row.
    private static let shortestRow = 8

    /// `nil` for a prompt that is not long.
    init?(_ prompt: String) {
        let bare = Self.bare(prompt)
        guard bare.count >= Self.shortest else { return nil }
        self.prompt = bare
        var pieces: Set<UInt64> = []
        pieces.reserveCapacity(bare.count)
        var hash = RollingHash(length: Self.piece)
        for byte in bare { if let value = hash.add(byte) { pieces.insert(value) } }
        self.pieces = pieces
    }

    /// The lines without those at the beginning that show the prompt again.
    /// - Returns: `nil` where there is no echo.
    func removed(from lines: [Substring]) -> String? {
        guard let first = lines.first.map(Self.bare) else { return nil }
        // The mark of the input line is not the prompt's.
        guard let mark = (0...min(Self.longestMark, first.count)).first(where: { isThere(first.dropFirst($0).prefix(Self.piece)) }) else { return nil }
        var shown: [UInt8] = []
        var hash = RollingHash(length: Self.piece)
        var count = 0
        for (index, line) in lines.enumerated() {
            let bytes = index == 0 ? Array(first.dropFirst(mark)) : Self.bare(line)
            var (hits, misses) = (0, 0)
            for byte in bytes {
                if let value = hash.add(byte) { if pieces.contains(value) { hits += 1 } else { misses += 1 } }
            }
            shown += bytes
            let isEcho = shown.count < Self.piece ? isThere(shown[...]) : bytes.count < Self.long ? misses == 0 : misses * 10 <= hits
            // More than all of it is an answer that quotes it.
            guard isEcho, shown.count <= prompt.count + prompt.count / 10 else {
                // Where the cursor goes at last, a row may stand that does not follow on the one before.
                if bytes.count >= Self.shortestRow, bytes.count < Self.long, prompt.suffix(bytes.count) == bytes[...] { count = index + 1 }
                shown.removeLast(bytes.count)
                break
            }
            // An empty line is the answer's, unless more of the prompt follows.
            if !bytes.isEmpty { count = index + 1 }
        }
        return shown.count < Self.least ? nil : lines[count...].joined(separator: "\n")
    }

    private func isThere(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first else { return true }
        return bytes.withUnsafeBytes { bytes in
            prompt.withUnsafeBytes { prompt in
                var place = 0
                while place + bytes.count <= prompt.count,
                    let found = memchr(prompt.baseAddress! + place, Int32(first), prompt.count - bytes.count + 1 - place)
                {
                    if memcmp(found, bytes.baseAddress!, bytes.count) == 0 { return true }
                    place = UnsafeRawPointer(found) - prompt.baseAddress! + 1
                }
                return false
            }
        }
    }

    private static func bare(_ text: some StringProtocol) -> [UInt8] { text.utf8.filter { $0 > 0x20 } }
}

/// The hash of the last so many bytes.
private struct RollingHash {
    private static let base: UInt64 = 0x9E37_79B9_7F4A_7C15
    /// What the oldest byte counts.
    private let weight: UInt64
    private var window: [UInt8]
    private var next = 0
    private var filled = 0
    private var value: UInt64 = 0

    init(length: Int) {
        window = [UInt8](repeating: 0, count: length)
        var weight: UInt64 = 1
        for _ in 0..<length { weight = weight &* Self.base }
        self.weight = weight
    }

    /// - Returns: `nil` before there are so many.
    mutating func add(_ byte: UInt8) -> UInt64? {
        value = value &* Self.base &+ UInt64(byte) &+ 1 &- (filled == window.count ? (UInt64(window[next]) &+ 1) &* weight : 0)
        window[next] = byte
        next = (next + 1) % window.count
        filled = min(filled + 1, window.count)
        return filled == window.count ? value : nil
    }
}
