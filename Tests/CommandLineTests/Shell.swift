import CLinux
import Glibc
import SpoolFormat
import TestSupport

/// Runs `rouse` as a shell would: with its own standard input, and with output and errors apart.
struct Shell {
    struct Answer {
        let code: Int
        let bytes: [UInt8]
        let errors: String
        var output: String { String(decoding: bytes, as: UTF8.self) }
        var lines: [String] { output.split(separator: "\n").map(String.init) }
        var json: JSON? { try? JSONReader.read(bytes) }
    }

    /// A command that has been started and not yet ended.
    final class Running {
        let pid: Int32
        private let files: String

        fileprivate init(pid: Int32, files: String) {
            self.pid = pid
            self.files = files
        }

        /// What it has written by now.
        var output: String { String(decoding: (try? Directory(files).read("out", limit: 1 << 28)?.bytes) ?? [], as: UTF8.self) }

        /// What it has complained of by now.
        var errors: String { String(decoding: (try? Directory(files).read("err")?.bytes) ?? [], as: UTF8.self) }

        func end() -> Answer {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let code = rouse_wifexited(status) != 0 ? Int(rouse_wexitstatus(status)) : 128 + Int(rouse_wtermsig(status))
            let directory = try? Directory(files)
            let output = (try? directory?.read("out", limit: 1 << 28)?.bytes) ?? []
            let errors = (try? directory?.read("err")?.bytes) ?? []
            if let parent = try? Directory("/tmp") { try? parent.removeTree(String(files.dropFirst(5))) }
            return Answer(code: code, bytes: output, errors: String(decoding: errors, as: UTF8.self))
        }
    }

    var environment: [String: String] = [:]
    var directory: String?

    init(_ spool: TestSpool? = nil, directory: String? = nil, environment: [String: String] = [:]) {
        if let spool { self.environment["ROUSE_SPOOL"] = spool.path }
        self.environment.merge(environment) { $1 }
        self.directory = directory
    }

    func start(_ arguments: [String], input: String? = nil, program: String = Programs.rouse) -> Running {
        var template = Array("/tmp/rouse-shell-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil)
        let files = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try! Directory(files).write(Array((input ?? "").utf8), to: "in")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input == nil ? "/dev/null" : files + "/in", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, files + "/out", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, files + "/err", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        if let directory { posix_spawn_file_actions_addchdir_np(&actions, directory) }
        // Nothing of the surroundings of the tests may show through.
        var variables = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
        if let libraries = getenv("LD_LIBRARY_PATH") { variables["LD_LIBRARY_PATH"] = String(cString: libraries) }
        variables.merge(environment) { $1 }
        var pid: Int32 = 0
        let argv = ([program] + arguments).map { strdup($0) } + [nil]
        let envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        // Not with the signals blocked that a test program blocks: what is left of a run that was ended could not be ended.
        var attributes = posix_spawnattr_t()
        _ = rouse_spawn_attributes(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let code = posix_spawn(&pid, program, &actions, &attributes, argv, envp)
        precondition(code == 0, "cannot start \(program): \(String(cString: strerror(code)))")
        return Running(pid: pid, files: files)
    }

    func rouse(_ arguments: [String], input: String? = nil) -> Answer { start(arguments, input: input).end() }
    func rouse(_ arguments: String...) -> Answer { rouse(arguments) }

    /// Runs it with this many open files at most.
    func rouse(_ arguments: [String], mostOpen: Int) -> Answer {
        start(["-c", "ulimit -n \(mostOpen); exec \"$0\" \"$@\"", Programs.rouse] + arguments, program: "/bin/sh").end()
    }
}
