/// The rule for the names of sessions and agents: they are names of directories and of configuration files.
public enum SessionName {
    public static let expected = "a session's name: letters, digits, '.', '_', '-', at most 64, starting with a letter or digit"
    static let expectedAgent = "an agent's name: letters, digits, '.', '_', '-', at most 64, starting with a letter or digit"

    public static func check(_ text: String) -> String? { QueueName.check(text) }

    /// The queue that a session's turns are in. No queue of a person's has such a name.
    public static func queue(of session: String) -> String { "session:" + session }
    /// The queue of the process that stays between a session's turns.
    public static func processQueue(of session: String) -> String { "process:" + session }

    /// The session whose turns are in this queue.
    public static func session(ofQueue queue: String) -> String? { name(in: queue, after: "session:") }
    /// The session whose process is in this queue.
    public static func session(ofProcessQueue queue: String) -> String? { name(in: queue, after: "process:") }

    private static func name(in queue: String, after prefix: String) -> String? {
        queue.hasPrefix(prefix) ? check(String(queue.dropFirst(prefix.utf8.count))) : nil
    }

    /// A queue's name as a record has it: also one of a session's.
    static func checkQueue(_ text: String) -> String? {
        QueueName.check(text) ?? (session(ofQueue: text) ?? session(ofProcessQueue: text)).map { _ in text }
    }
}
