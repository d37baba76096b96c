import Glibc

/// A system call that failed: what was tried, on which path, and why.
public struct SystemFault: Error, Sendable, Equatable, CustomStringConvertible {
    public let operation: String
    public let path: String
    public let errno: Int32

    /// The call that has just failed; `errno` says why.
    public init(_ operation: String, _ path: String) { self.init(operation, path, errno: Glibc.errno) }

    public init(_ operation: String, _ path: String, errno code: Int32) {
        self.operation = operation
        self.path = path
        self.errno = code
    }

    /// The reason in the system's words: `No space left on device`.
    public var reason: String { String(cString: strerror(errno)) }

    public var description: String {
        let advice = advice.map { "; \($0)" } ?? ""
        return "cannot \(operation) \(path): \(reason)\(advice)"
    }

    private var advice: String? {
        switch errno {
        case ENOSPC, EDQUOT: "make room on that file system"
        case EMFILE, ENFILE: "raise the limit on open files (ulimit -n, LimitNOFILE=)"
        case EROFS: "the file system is mounted read-only"
        case EACCES, EPERM: "check the owner and mode of the directory"
        default: nil
        }
    }

    public var isMissing: Bool { errno == ENOENT }
    public var exists: Bool { errno == EEXIST || errno == ENOTEMPTY }
}
