import Glibc

/// The path of a directory from the root on, and the directories on the way to it. Purely of names: no link is resolved.
struct AbsolutePath: Sendable, CustomStringConvertible {
    /// A directory on the way to a path, and the name beneath it that leads on.
    struct Step: Sendable {
        let directory: AbsolutePath
        let name: [UInt8]
    }

    let text: String

    /// A relative path starts at the directory the process is in now.
    init(_ path: String) {
        var bytes = Array(path.utf8)
        if bytes.first != Self.slash {
            bytes = Array((Self.workingDirectory + "/").utf8) + bytes
        }
        // "inbox/", "inbox/." and "inbox" are one directory, and only the last says its name.
        while bytes.count > 1 {
            if bytes.last == Self.slash || (bytes.last == Self.dot && bytes[bytes.count - 2] == Self.slash) {
                bytes.removeLast()
            } else {
                break
            }
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// The directories on the way, the nearest first: for `/a/b` these are `/a` with `b`, then `/` with `a`.
    var stepsUp: [Step] {
        var steps: [Step] = []
        var rest = Array(text.utf8)[...]
        while rest.count > 1, let cut = rest.lastIndex(of: Self.slash) {
            let name = Array(rest[(cut + 1)...])
            rest = rest[..<cut]
            let directory = AbsolutePath(rest.isEmpty ? "/" : String(decoding: rest, as: UTF8.self))
            if !name.isEmpty { steps.append(Step(directory: directory, name: name)) }
        }
        return steps
    }

    func isBeneath(_ other: AbsolutePath) -> Bool {
        guard other.text != "/" else { return text != "/" }
        let (own, others) = (text.utf8, other.text.utf8)
        return own.count > others.count && own.starts(with: others)
            && own[own.index(own.startIndex, offsetBy: others.count)] == Self.slash
    }

    var description: String { text }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    private static var workingDirectory: String {
        guard let buffer = getcwd(nil, 0) else { return "" }
        defer { free(buffer) }
        return String(cString: buffer)
    }
}
