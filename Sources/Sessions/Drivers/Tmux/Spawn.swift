import CLinux
import Glibc
import SpoolFormat

/// Starts a program with nothing of this process's but what it is given.
struct Spawn {
    var arguments: [String]
    /// Where it starts; `nil` is here.
    var directory: Directory?
    /// Its standard input, output and error; none leaves ours.
    var files: [Int32] = []
    /// In a session of its own; otherwise it keeps the terminal.
    var isDetached = true

    init(arguments: [String], in directory: Directory? = nil, files: [Int32] = []) {
        self.arguments = arguments
        self.directory = directory
        self.files = files
    }

    func start() throws(SystemFault) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let directory { posix_spawn_file_actions_addfchdir_np(&actions, directory.descriptor) }
        for (number, file) in files.enumerated() { posix_spawn_file_actions_adddup2(&actions, file, Int32(number)) }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        guard rouse_spawn_attributes(&attributes) == 0 else { throw SystemFault("start", arguments[0]) }
        defer { posix_spawnattr_destroy(&attributes) }
        if !isDetached { posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) }
        let pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        let failure = posix_spawnp(&pid, arguments[0], &actions, &attributes, pointers, rouse_environment())
        guard failure == 0 else { throw SystemFault("start", arguments[0], errno: failure) }
        return pid
    }

    /// Waits for a child's end; one that takes too long is killed.
    /// - Returns: its exit code, 128 and the signal for one that a signal ended; `nil` for one that was killed here.
    static func wait(for pid: pid_t, milliseconds: Int64) -> Int32? {
        let handle = rouse_pidfd_open(pid)
        defer { if handle >= 0 { close(handle) } }
        let deadline = Monotonic.now + milliseconds
        var isLate = false
        while handle >= 0 {
            var entry = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, Int32(clamping: max(0, deadline - Monotonic.now))) > 0 { break }
            guard Monotonic.now >= deadline else { continue }
            isLate = true
            kill(pid, SIGKILL)
            break
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 { if errno != EINTR { return nil } }
        return isLate ? nil : code(of: status)
    }

    /// The exit code that a wait status stands for.
    static func code(of status: Int32) -> Int32 {
        rouse_wifexited(status) != 0 ? rouse_wexitstatus(status) : 128 + rouse_wtermsig(status)
    }
}
