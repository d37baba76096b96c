import Glibc
import SpoolFormat

/// The real daemon, `rouse serve`, on a spool of its own.
final class BenchmarkDaemon {
    let spool: Directory
    private let workspace: Workspace
    private let name: String
    private var process: Child?

    /// Makes a spool called `name`. The daemon is not started yet.
    init(_ name: String, in workspace: Workspace) throws {
        self.name = name
        self.workspace = workspace
        spool = try workspace.make(name)
        _ = try spool.directory(makingIfMissing: SpoolLayout.inbox)
        for state in JobState.allCases { _ = try spool.directory(makingIfMissing: state.rawValue) }
        // Nothing is forgotten while it is measured.
        let queues = try spool.directory(makingIfMissing: SpoolLayout.config).directory(makingIfMissing: "queues")
        try queues.write(Array(#"{"keep": {"time": "3650d", "count": 100000000}}"#.utf8), to: "default.json")
    }

    deinit { process?.end(SIGKILL) }

    var pid: pid_t { process?.pid ?? -1 }

    /// Starts it and waits until it is ready.
    /// - Returns: how long that took.
    @discardableResult
    func start(within seconds: Int = 300) throws -> Int64 {
        let socket = try ReadySocket(at: workspace.path + "/ready")
        let log = workspace.path + "/" + name + ".log"
        let began = Clock.now
        let child = try Child([workspace.rouse, "serve", "--spool", spool.path], environment: ["NOTIFY_SOCKET": socket.path], output: log)
        guard socket.waitUntilReady(seconds: seconds, unless: { child.hasEnded }) else {
            throw BenchmarkFault("the daemon did not become ready; it said: \(Self.tail(of: log))")
        }
        process = child
        return Clock.now - began
    }

    func stop() throws {
        guard let child = process.take() else { return }
        child.send(SIGCONT)
        child.send(SIGTERM)
        guard child.wait() == 0 else { throw BenchmarkFault("the daemon did not end well: \(Self.tail(of: workspace.path + "/" + name + ".log"))") }
    }

    /// Stops and continues it as a whole, without it noticing.
    func freeze() { process?.send(SIGSTOP) }
    func thaw() { process?.send(SIGCONT) }

    func path(_ state: JobState) -> String { spool.path + "/" + state.rawValue }

    private static func tail(of log: String) -> String {
        let parts = log.split(separator: "/")
        guard let directory = try? Directory("/" + parts.dropLast().joined(separator: "/")),
            let content = try? directory.read(String(parts.last!))
        else { return "nothing" }
        return String(decoding: content.bytes.suffix(500), as: UTF8.self)
    }
}
