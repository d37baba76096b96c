import CLinux
import Glibc
import Synchronization

/// A process that the benchmark has started. It ends with the benchmark, however that ends.
final class Child {
    let pid: pid_t
    private var isReaped = false

    private static let living = Mutex<Set<pid_t>>([])

    /// Starts `arguments`, found in `$PATH`, with `environment` added to this process's own. `output` takes what it
    /// writes to its standard output and error.
    init(_ arguments: [String], environment: [String: String] = [:], output: String = "/dev/null", input: String = "/dev/null") throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        guard rouse_spawn_attributes(&attributes) == 0 else { throw BenchmarkFault.system("start \(arguments[0])") }
        defer { posix_spawnattr_destroy(&attributes) }

        var variables = Self.ownEnvironment()
        for (name, value) in environment { variables[name] = value }
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = variables.map { strdup($0.key + "=" + $0.value) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            errno = code
            throw BenchmarkFault.system("start \(arguments[0])")
        }
        self.pid = pid
        Self.living.withLock { _ = $0.insert(pid) }
    }

    deinit { end(SIGKILL) }

    func send(_ signal: Int32) { if !isReaped { kill(pid, signal) } }

    /// Waits for its end, and gives the exit code; a signal counts as 128 and its number.
    @discardableResult
    func wait() -> Int32 {
        guard !isReaped else { return 0 }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        isReaped = true
        Self.living.withLock { _ = $0.remove(pid) }
        return rouse_wifexited(status) != 0 ? rouse_wexitstatus(status) : 128 + rouse_wtermsig(status)
    }

    /// Whether it has ended by itself.
    var hasEnded: Bool { isReaped || rouse_peek_child(pid) != 0 }

    func end(_ signal: Int32 = SIGTERM) {
        send(signal)
        wait()
    }

    /// For the end of the benchmark by a signal.
    static func killAll() { for pid in living.withLock({ $0 }) { kill(pid, SIGKILL) } }

    static func run(_ arguments: [String], environment: [String: String] = [:], output: String = "/dev/null", input: String = "/dev/null") throws {
        let code = try Child(arguments, environment: environment, output: output, input: input).wait()
        guard code == 0 else { throw BenchmarkFault("\(arguments.joined(separator: " ").prefix(80)) ended with \(code)") }
    }

    private static func ownEnvironment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = rouse_environment()
        while let place = entry, let text = place.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
            entry = place + 1
        }
        return variables.filter { !$0.key.hasPrefix("ROUSE_") }
    }
}
