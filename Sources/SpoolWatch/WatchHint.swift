/// "Look again": nothing more. What happened is never told, because events can be merged, late or lost; the directory
/// itself is the truth.
public struct WatchHint: Sendable, Hashable {
    /// Where to look.
    public enum Scope: Sendable, Hashable {
        /// Look at this directory.
        case directory(WatchToken)
        /// Look at all of them: events were lost (the kernel's queue overflowed, a file system was unmounted).
        case everything
    }

    public let scope: Scope

    /// The path may lead to another directory than before, or to none: whoever holds the directory open must open it
    /// again by its path. True for the first hint of a directory, too.
    public let reopen: Bool

    public init(_ scope: Scope, reopen: Bool = false) {
        self.scope = scope
        self.reopen = reopen
    }

    public static func directory(_ token: WatchToken, reopen: Bool = false) -> WatchHint {
        WatchHint(.directory(token), reopen: reopen)
    }

    public static var everything: WatchHint { WatchHint(.everything, reopen: true) }
}
