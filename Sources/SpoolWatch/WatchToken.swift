/// Names a watched directory: the path exactly as the caller gave it.
///
/// Two tokens are equal when their bytes are. `String` calls a composed and a decomposed "é" equal; to the file system
/// they are two names.
public struct WatchToken: Sendable, Hashable, CustomStringConvertible {
    public let path: String

    public init(_ path: String) { self.path = path }

    public static func == (left: WatchToken, right: WatchToken) -> Bool { left.path.utf8.elementsEqual(right.path.utf8) }

    public func hash(into hasher: inout Hasher) {
        var path = path
        path.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    public var description: String { path }
}
