/// Why the daemon cannot start or go on: what, where, and what to do.
public struct DaemonFault: Error, Sendable, CustomStringConvertible {
    public let description: String
    /// By sysexits.h.
    public let exitCode: Int32

    public init(_ description: String, exitCode: Int32 = 70) {
        self.description = description
        self.exitCode = exitCode
    }
}
