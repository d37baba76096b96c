import CLinux
import Glibc
import JobRunner
import Processes
import SpoolFormat

/// Why a program could not be started, for the person who wrote the task.
struct Unstartable: Error {
    let message: String

    init(_ message: String) { self.message = message }

    init(_ what: String, errno code: Int32) { message = "\(what): \(String(cString: strerror(code)))" }
}

/// Starts the program of an attempt: in a session of its own, with nothing of the runner's but what it is given.
enum Launch {
    /// - Parameter environment: the program's, where it is made already.
    static func start(_ record: RunRecord, in job: Directory, output log: LogKeeper, environment: ProgramEnvironment?, blanks: Blanks) throws(Unstartable) -> pid_t {
        let place = try WorkingDirectory(of: record, in: job, blanks: blanks)
        defer { withExtendedLifetime(place) {} }
        let environment = if let environment { environment } else { try ProgramEnvironment(of: record) }
        let program = try ProgramSearch(environment.searchPath, from: place).find(record.arguments[0])
        let input = try InputFile.open(record.stdin)
        defer { if let input { close(input) } }
        let output = log.openForProgram()
        guard output >= 0 else { throw Unstartable("cannot open the log for the program", errno: errno) }
        defer { close(output) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addfchdir_np(&actions, place.descriptor)
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)

        let limits = LimitedStart.options(for: record.limits)
        guard limits.isEmpty else {
            return try startLimited(limits, program, record, &actions, environment.strings)
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var pid: pid_t = 0
        let failure = spawn(&pid, program, CStrings(record.arguments), environment.strings, &actions)
        guard failure == 0 else { throw ProgramSearch.fault(failure, record.arguments[0], at: program) }
        return pid
    }

    /// Limits can only be set by the process that they are for, so this very program is started first; it sets them
    /// and becomes the program. If it can't, it says so through a pipe that closes when it can.
    private static func startLimited(
        _ limits: [String], _ program: String, _ record: RunRecord, _ actions: inout posix_spawn_file_actions_t,
        _ environment: CStrings
    ) throws(Unstartable) -> pid_t {
        var ends: [Int32] = [-1, -1]
        guard rouse_pipe(&ends) == 0 else { throw Unstartable("cannot make a pipe", errno: errno) }
        defer { close(ends[0]) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], LimitedStart.reportDescriptor)
        posix_spawn_file_actions_addclosefrom_np(&actions, LimitedStart.reportDescriptor + 1)
        var pid: pid_t = 0
        let arguments = CStrings(["rouse-runner"] + limits + ["--", program] + record.arguments)
        let failure = spawn(&pid, "/proc/self/exe", arguments, environment, &actions)
        close(ends[1])
        guard failure == 0 else { throw Unstartable("cannot start the runner again to set limits", errno: failure) }
        guard let (step, code) = LimitedStart.report(from: ends[0]) else { return pid }
        // Nobody else waits for it: the attempt has no program.
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
        throw step == .exec
            ? ProgramSearch.fault(code, record.arguments[0], at: program)
            : Unstartable("cannot set the limits of \(record.arguments[0])", errno: code)
    }

    private static func spawn(
        _ pid: inout pid_t, _ path: String, _ arguments: CStrings, _ environment: CStrings,
        _ actions: inout posix_spawn_file_actions_t
    ) -> Int32 {
        var attributes = posix_spawnattr_t()
        let failure = rouse_spawn_attributes(&attributes)
        guard failure == 0 else { return failure }
        defer { posix_spawnattr_destroy(&attributes) }
        return arguments.withPointers { arguments in
            environment.withPointers { posix_spawn(&pid, path, &actions, &attributes, arguments, $0) }
        }
    }
}
