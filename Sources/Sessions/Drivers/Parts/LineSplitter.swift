/// Makes lines of what comes in pieces.
struct LineSplitter {
    /// Bytes. What is longer is no message of any agent; it is dropped as it comes, so that it can't fill the memory.
    static let longest = 4 << 20

    private var partial: [UInt8] = []
    private var isDropping = false
    /// Lines that were longer than `longest`.
    private(set) var dropped = 0

    /// A line has begun and is not complete.
    var isInLine: Bool { isDropping || !partial.isEmpty }

    /// The lines that these bytes complete, without their line feeds.
    mutating func take(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
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

    private mutating func keep(_ bytes: ArraySlice<UInt8>) {
        guard !isDropping else { return }
        guard partial.count + bytes.count <= Self.longest else {
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
