/// The end of a terminal's output, as much as its owner wants to keep.
struct OutputBuffer {
    static let mostBytes = 16 << 20
    private static let usualBytes = 1 << 20

    private let limit: Int
    private var bytes: [UInt8] = []
    private var wasCut = false

    /// - Parameter limit: bytes; 1 MiB where nothing is said.
    init(limit: Int?) { self.limit = min(max(limit ?? Self.usualBytes, 0), Self.mostBytes) }

    var isTruncated: Bool { wasCut || bytes.count > limit }

    mutating func append(_ more: [UInt8]) {
        bytes += more
        if bytes.count > 2 * limit + 65_536 { cut() }
    }

    /// It begins with a whole character.
    var text: String {
        var copy = self
        if copy.bytes.count > limit { copy.cut() }
        let start = isTruncated ? copy.bytes.firstIndex { $0 & 0xC0 != 0x80 } ?? copy.bytes.count : 0
        return String(decoding: copy.bytes[start...], as: UTF8.self)
    }

    private mutating func cut() {
        wasCut = true
        bytes.removeFirst(bytes.count - limit)
    }
}
