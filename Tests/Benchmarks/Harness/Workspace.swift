import CLinux
import Glibc
import SpoolFormat
import Synchronization

/// The directory in which everything is made, and which is removed at the end: not before, since ext4 gives no inode
/// out again for minutes after it was freed, and passes by each of them whenever a file is made near it. Two runs in a
/// row on one ext4 disk tell of that more than of the daemon.
struct Workspace {
    let path: String
    let directory: Directory
    /// Where `rouse`, `rouse-runner` and the stamp are: beside this program.
    let programs: String

    private static let current = Mutex<String?>(nil)

    init(in parent: String) throws {
        guard let own = realpath("/proc/self/exe", nil) else { throw BenchmarkFault.system("find this program") }
        defer { free(own) }
        programs = String(cString: own).split(separator: "/").dropLast().map { "/" + $0 }.joined()
        var template = Array((parent + "/rouse-bench.XXXXXX").utf8CString)
        guard let made = mkdtemp(&template), let resolved = realpath(made, nil) else {
            throw BenchmarkFault.system("make a directory in \(parent)")
        }
        defer { free(resolved) }
        path = String(cString: resolved)
        directory = try Directory(path)
        let path = path
        Self.current.withLock { $0 = path }
        for program in ["rouse", "rouse-runner", "rouse-agent", "rouse-bench-stamp"] where access(programs + "/" + program, X_OK) != 0 {
            throw BenchmarkFault("there is no \(programs)/\(program): build it first, with swift build -c release --product \(program)")
        }
    }

    var rouse: String { programs + "/rouse" }
    var stamp: String { programs + "/rouse-bench-stamp" }

    func make(_ name: String) throws -> Directory { try directory.directory(makingIfMissing: name) }

    /// Ends and removes everything that is left.
    static func clear() {
        Child.killAll()
        let path = current.withLock { $0.take() }
        guard let path else { return }
        let parts = path.split(separator: "/")
        for _ in 0..<20 {
            // A runner that is ending may still write.
            do { return try Directory("/" + parts.dropLast().joined(separator: "/")).removeTree(String(parts.last!)) } catch { Clock.sleep(milliseconds: 50) }
        }
        print("cannot remove \(path)")
    }

    /// Has SIGINT and SIGTERM clear up too. Before any thread is started.
    static func clearOnSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        sigprocmask(SIG_BLOCK, &signals, nil)
        var thread = pthread_t()
        pthread_create(&thread, nil, { _ in
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGINT)
            sigaddset(&signals, SIGTERM)
            var signal: Int32 = 0
            sigwait(&signals, &signal)
            Workspace.clear()
            _exit(128 + signal)
        }, nil)
    }
}
