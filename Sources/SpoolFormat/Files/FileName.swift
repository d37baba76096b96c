import Glibc

/// The name of a directory entry: bytes without NUL and `/`, which need not be UTF-8.
public protocol FileName: Sendable {
    func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result
    /// The name as it is shown to people; bytes that are no UTF-8 are replaced.
    var display: String { get }
}

extension String: FileName {
    public var display: String { self }
}

/// An entry's name exactly as the file system has it.
public struct EntryName: FileName, Hashable {
    public let bytes: [UInt8]

    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
    public init(_ text: String) { self.bytes = Array(text.utf8) }

    public func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
            buffer[bytes.count] = 0
            return try body(buffer.baseAddress!)
        }
    }

    public var display: String { String(decoding: bytes, as: UTF8.self) }

    public func hasSuffix(_ suffix: String) -> Bool { bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
    public func hasPrefix(_ prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }
}
