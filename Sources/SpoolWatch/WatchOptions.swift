import Glibc

/// How a watcher works.
public struct WatchOptions: Sendable {
    /// How changes are learned.
    public enum Method: String, Sendable, CaseIterable {
        /// From inotify; directories it does not serve are polled.
        case inotify
        /// Never from inotify: every directory is looked at again and again. For file systems that send no events but
        /// cannot be told by their type.
        case poll
    }

    public var method: Method
    /// How often a polled directory is due. Without a polled directory there is no timer at all.
    public var pollInterval: Duration
    /// Microseconds that events gather before they are read: many then become one hint, and the watch thread takes no
    /// processor from whoever has seen them at the descriptor already.
    public var gathering: UInt32 = 0
    /// Gets a line for every event, as it comes from the kernel, on the watch thread. For finding faults.
    public var trace: (@Sendable (String) -> Void)?
    /// What was asked for and could not be understood; the watcher reports it when it starts.
    var complaint: String?

    public init(
        method: Method = .inotify, pollInterval: Duration = .seconds(2), trace: (@Sendable (String) -> Void)? = nil
    ) {
        self.method = method
        self.pollInterval = pollInterval
        self.trace = trace
    }

    /// The defaults, with the method that `$ROUSE_WATCH` asks for.
    public static var fromEnvironment: WatchOptions {
        WatchOptions(environment: getenv("ROUSE_WATCH").map { String(cString: $0) })
    }

    init(environment value: String?) {
        self.init()
        guard let value, !value.isEmpty else { return }
        if let method = Method(rawValue: value) {
            self.method = method
        } else {
            let known = Method.allCases.map(\.rawValue).joined(separator: " or ")
            complaint = "ROUSE_WATCH=\(value) means nothing; it can be \(known), and is taken as \(method.rawValue)"
        }
    }
}
