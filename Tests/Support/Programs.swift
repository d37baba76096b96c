import CLinux
import Glibc
import SpoolFormat

/// The programs under test and others, started as processes.
public enum Programs {
    /// The directory of build products: the test bundle's own.
    public static let directory: String = {
        var path = String(cString: realpath("/proc/self/exe", nil))
        // The runner of the tests may be a tool of the toolchain; its arguments then name the bundle.
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") { path = argument }
        if path.hasPrefix("/opt") || !path.contains(".build") {
            path = (try? loadedBundle()) ?? path
        }
        return String(path[..<path.lastIndex(of: "/")!])
    }()

    public static let rouse = directory + "/rouse"
    public static let runner = directory + "/rouse-runner"
    public static let agent = directory + "/rouse-agent"
    /// `Tests/Fixtures`
    public static let fixtures = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/") + "/Fixtures"

    private static func loadedBundle() throws -> String {
        let maps = try Directory("/proc/self").read("maps")?.bytes ?? []
        let line = String(decoding: maps, as: UTF8.self).split(separator: "\n").first { $0.contains(".xctest") }
        return line.map { String($0[$0.firstIndex(of: "/")!...]) } ?? ""
    }

    /// Starts a program. Its output goes to a file, or nowhere.
    public static func spawn(_ arguments: [String], environment: [String: String] = [:], directory: String? = nil, output: String? = nil) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        if let directory { posix_spawn_file_actions_addchdir_np(&actions, directory) }
        var variables: [String: String] = [:]
        var entry = rouse_environment()!
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
            entry += 1
        }
        variables.merge(environment) { $1 }
        var pid: Int32 = 0
        var attributes = posix_spawnattr_t()
        _ = rouse_spawn_attributes(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
        precondition(code == 0, "cannot start \(arguments[0]): \(String(cString: strerror(code)))")
        return pid
    }

    /// Runs a program to its end. - Returns: its exit code (128 + signal) and what it wrote.
    @discardableResult public static func run(_ arguments: [String], environment: [String: String] = [:], directory: String? = nil) -> (code: Int, output: String) {
        var template = Array("/tmp/rouse-output-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        close(file)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let pid = spawn(arguments, environment: environment, directory: directory, output: path)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let output = (try? Directory("/tmp").read(String(path.dropFirst(5)), limit: 1 << 28)?.bytes) ?? []
        let code = rouse_wifexited(status) != 0 ? Int(rouse_wexitstatus(status)) : 128 + Int(rouse_wtermsig(status))
        return (code, String(decoding: output, as: UTF8.self))
    }

    /// `rouse …` on a spool.
    @discardableResult public static func rouse(_ arguments: [String], on spool: TestSpool, environment: [String: String] = [:]) -> (code: Int, output: String) {
        run([rouse] + arguments, environment: ["ROUSE_SPOOL": spool.path].merging(environment) { $1 })
    }

    /// Processes that belong to a spool: its daemon, its runners and what jobs have started.
    public static func processes(ofSpool path: String) -> [Int32] {
        guard let entries = try? Directory("/proc").entries() else { return [] }
        return entries.compactMap { Int32($0.name.display) }.filter { pid in
            guard pid != getpid(), let process = try? Directory("/proc/\(pid)") else { return false }
            let words = ["environ", "cmdline"].compactMap { try? process.read($0)?.bytes }.flatMap { $0.split(separator: 0) }
            if words.contains(where: { String(decoding: $0, as: UTF8.self).contains(path) }) { return true }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = buffer.withUnsafeMutableBytes { readlink("/proc/\(pid)/cwd", $0.baseAddress!.assumingMemoryBound(to: CChar.self), 4096) }
            return count > 0 && String(decoding: buffer.prefix(count), as: UTF8.self).hasPrefix(path)
        }
    }

    /// Ends whatever a failed test has left of its spool.
    public static func endAll(ofSpool path: String) {
        for pid in processes(ofSpool: path) { kill(pid, SIGKILL) }
    }
}
