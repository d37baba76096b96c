import SpoolFormat

/// What can be told of a message that can't be read: it was cut off, or is nested too deep. Whoever sent it waits for an
/// answer, or has answered what is waited for.
struct MessageHead {
    private(set) var id: JSON?
    private(set) var method: String?
    private(set) var isResponse = false

    /// - Parameter bytes: the message's beginning.
    init(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard var at = bytes.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }), bytes[at] == UInt8(ascii: "{") else { return }
        var depth = 0
        var name: String?
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): if depth == 1 { name = nil }
            case 0x20, 0x09, 0x0D, UInt8(ascii: ":"): break
            default:
                guard let end = Self.end(ofScalarAt: at, in: bytes) else { return }
                if depth == 1, let value = try? JSONReader.read(Array(bytes[at..<end])) {
                    if let name { take(name, value) } else { name = value.string }
                    if name == "result" || name == "error" { isResponse = true }
                }
                at = end
                continue
            }
            at += 1
        }
    }

    private mutating func take(_ name: String, _ value: JSON) {
        switch name {
        case "id" where value != .null: id = value
        case "method": method = value.string
        default: break
        }
    }

    /// - Returns: `nil` where it is cut off.
    private static func end(ofScalarAt start: Int, in bytes: [UInt8]) -> Int? {
        guard bytes[start] == UInt8(ascii: "\"") else {
            return bytes[start...].firstIndex { [0x20, 0x09, 0x0D, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]")].contains($0) }
        }
        var at = start + 1
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\"") { return at + 1 }
            at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }
}
