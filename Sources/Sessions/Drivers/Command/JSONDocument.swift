import SpoolFormat

/// One JSON value among noise: what stands before it, and after it, is no part of it.
struct JSONDocument {
    /// Bytes. Of output that is longer the end is kept.
    private static let longest = 16 << 20
    private static let mostTries = 1000

    private var bytes: [UInt8] = []

    var isEmpty: Bool { bytes.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) } }

    mutating func append(_ more: [UInt8]) {
        bytes += more
        if bytes.count > 2 * Self.longest { bytes.removeFirst(bytes.count - Self.longest) }
    }

    /// The first value that begins at the beginning of a line and goes on to the end; where there is none, the last line
    /// that is one by itself.
    var value: JSON? { found?.value }

    /// The lines that are no part of the value; all of them, where there is none.
    var noise: [[UInt8]] {
        let place = found?.place ?? 0..<0
        return (bytes[..<place.lowerBound].split(separator: 0x0A) + bytes[place.upperBound...].split(separator: 0x0A)).map { Array($0) }
    }

    private var found: (value: JSON, place: Range<Int>)? {
        var starts: [Int] = []
        var lineStart = 0
        while lineStart < bytes.count {
            let text = bytes[lineStart...].firstIndex { $0 != 0x20 && $0 != 0x09 } ?? bytes.count
            if text < bytes.count, bytes[text] == UInt8(ascii: "{") || bytes[text] == UInt8(ascii: "[") { starts.append(lineStart) }
            lineStart = (bytes[lineStart...].firstIndex(of: 0x0A) ?? bytes.count) + 1
        }
        for start in starts.prefix(Self.mostTries) {
            if let value = AgentJSON.read(Array(bytes[start...])) { return (value, start..<bytes.count) }
        }
        for start in starts.reversed().prefix(Self.mostTries) {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            if let value = AgentJSON.read(Array(bytes[start..<end])) { return (value, start..<end) }
        }
        return nil
    }
}
