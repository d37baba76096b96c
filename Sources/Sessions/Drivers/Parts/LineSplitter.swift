import Glibc

/// Makes lines of what comes in pieces.
struct LineSplitter {
    /// Bytes. What is longer is dropped as it comes, so that it can't fill the memory.
    static let longest = 4 << 20
    /// Bytes of a dropped line that are kept.
    static let head = 1024

    private let longest: Int
    private var partial: [UInt8] = []
    private var isDropping = false
    /// Lines that were longer than `longest`.
    private(set) var dropped = 0
    /// How the dropped lines began, until they are taken.
    private var heads: [[UInt8]] = []

    init(longest: Int = longest) { self.longest = longest }

    /// A line has begun and is not complete.
    var isInLine: Bool { isDropping || !partial.isEmpty }

    /// The lines that these bytes complete, without their line feeds.
    mutating func take(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = Self.lineFeed(in: rest) {
            keep(rest[..<end])
            if let line = takePartial() { lines.append(line) }
            rest = rest[(end + 1)...]
        }
        keep(rest)
        return lines
    }

    /// What stands after the last line feed; at the end of everything, that is a line too.
    mutating func finish() -> [UInt8]? {
        isInLine ? takePartial() : nil
    }

    /// How the lines began that were dropped since this was last asked.
    mutating func takeHeads() -> [[UInt8]] {
        defer { heads = [] }
        return heads
    }

    private static func lineFeed(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress, let found = memchr(start, 0x0A, buffer.count) else { return nil }
            return bytes.startIndex + (UnsafeRawPointer(found) - start)
        }
    }

    private mutating func keep(_ bytes: ArraySlice<UInt8>) {
        guard !isDropping else { return }
        guard partial.count + bytes.count <= longest else {
            heads.append(Array((partial.prefix(Self.head) + bytes.prefix(Self.head)).prefix(Self.head)))
            partial = []
            isDropping = true
            dropped += 1
            return
        }
        partial += bytes
    }

    private mutating func takePartial() -> [UInt8]? {
        defer {
            partial = []
            isDropping = false
        }
        return isDropping ? nil : partial
    }
}
