/// An answer as it grows. Of one that is too long the end is kept, which is where the conclusion stands.
struct BoundedText {
    /// Bytes.
    static let longest = 1 << 20

    private var bytes: [UInt8] = []
    private(set) var isCut = false

    init(_ text: String = "") { append(text) }

    mutating func append(_ text: String) { append(Array(text.utf8)) }

    mutating func append(_ more: [UInt8]) {
        bytes += more
        // Cut now and then, and not at every piece.
        if bytes.count > 2 * Self.longest { cut() }
    }

    /// Without white space around it; bytes that are no UTF-8 are replaced.
    var text: String {
        var copy = self
        if copy.bytes.count > Self.longest { copy.cut() }
        var kept = copy.bytes[...]
        while let last = kept.last, Self.isSpace(last) { kept.removeLast() }
        while let first = kept.first, Self.isSpace(first) { kept.removeFirst() }
        return String(decoding: kept, as: UTF8.self)
    }

    var isEmpty: Bool { bytes.isEmpty }
    var wasCut: Bool { isCut || bytes.count > Self.longest }

    private mutating func cut() {
        isCut = true
        bytes.removeFirst(bytes.count - Self.longest)
        // Not in the middle of a character.
        let middle = bytes.prefix(3).prefix { $0 & 0xC0 == 0x80 }
        bytes.removeFirst(middle.count)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
