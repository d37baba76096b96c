import CLinux
import Glibc
import Processes
import SpoolFormat

/// A program that a driver has started, in a session of its own.
final class ChildProcess {
    /// How it ended.
    enum Ending: Equatable {
        case exited(Int)
        case signal(Int)
    }

    let pid: pid_t
    fileprivate(set) var ending: Ending?

    /// What a program is given. Descriptors stay the caller's; `nil` is `/dev/null`.
    struct Streams {
        var input: Int32?
        var output: Int32
        var error: Int32
    }

    fileprivate init(_ arguments: [String], in cwd: String, _ streams: Streams, environment added: [String: String], without removed: Set<String>) throws(TurnFault) {
        let place = rouse_open_path_only(cwd)
        guard place >= 0 else {
            throw TurnFault("unstartable", "cannot use the working directory \(cwd): \(String(cString: strerror(errno)))")
        }
        defer { close(place) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addfchdir_np(&actions, place)
        if let input = streams.input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, streams.output, 1)
        posix_spawn_file_actions_adddup2(&actions, streams.error, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        guard rouse_spawn_attributes(&attributes) == 0 else { throw TurnFault(SystemFault("start", arguments[0])) }
        defer { posix_spawnattr_destroy(&attributes) }

        let own = added.merging(["PWD": cwd]) { given, _ in given }
        let environment = CStrings.ownEnvironment { own[$0] != nil || removed.contains($0) }
        for (name, value) in own { environment.append(name + "=" + value) }
        var pid: pid_t = 0
        let failure = CStrings(arguments).withPointers { arguments in
            environment.withPointers { posix_spawnp(&pid, arguments[0]!, &actions, &attributes, arguments, $0) }
        }
        guard failure == 0 else { throw TurnFault("unstartable", Self.explain(failure, arguments[0])) }
        self.pid = pid
    }

    /// Why a program is not found that is named without a path.
    static let missing = "there is no such program in the PATH of the agent's environment; set PATH by the agent's \"env\" (config/agents/), or give the program's whole path"

    private static func explain(_ failure: Int32, _ program: String) -> String {
        let start = "cannot start \(program)"
        switch failure {
        case ENOENT where program.utf8.contains(UInt8(ascii: "/")): return "\(start): there is no such file, or not the interpreter that its first line names"
        case ENOENT: return "\(start): \(missing)"
        case EACCES: return "\(start): it is not executable for this user"
        case ENOEXEC: return "\(start): it is not a program; a script needs a first line such as #!/bin/sh"
        case E2BIG: return "\(start): its arguments are too long; give the prompt by \"stdin\" or \"file\""
        default: return "\(start): \(String(cString: strerror(failure)))"
        }
    }
}

/// All that a driver has started, and all that came from it: this process takes in what loses its parent.
final class Children {
    private var known: [pid_t: ChildProcess] = [:]

    init() { _ = rouse_set_child_subreaper() }

    /// - Parameters:
    ///   - environment: variables that it has beside this process's own.
    ///   - removed: variables of this process that it does not have.
    func start(
        _ arguments: [String], in cwd: String, _ streams: ChildProcess.Streams, environment: [String: String] = [:], without removed: Set<String> = []
    ) throws(TurnFault) -> ChildProcess {
        let child = try ChildProcess(arguments, in: cwd, streams, environment: environment, without: removed)
        known[child.pid] = child
        return child
    }

    /// Takes in every process that has ended.
    func reap() {
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, WNOHANG)
            if pid < 0, errno == EINTR { continue }
            guard pid > 0 else { return }
            guard let child = known.removeValue(forKey: pid) else { continue }
            child.ending = rouse_wifexited(status) != 0 ? .exited(Int(rouse_wexitstatus(status))) : .signal(Int(rouse_wtermsig(status)))
        }
    }

    /// Sends a signal to a child that has not been reaped and to all below it; without one, to everything there is.
    /// SIGKILL reaches also what is being started meanwhile.
    func send(_ signal: Int32, to child: ChildProcess? = nil) {
        guard child == nil || child?.ending == nil else { return }
        func find() -> [ProcessStatus] {
            guard let child else { return ProcessTree.descendants(of: getpid()) }
            return (ProcessStatus(pid: child.pid).map { [$0] } ?? []) + ProcessTree.descendants(of: child.pid)
        }
        let tree = signal == SIGKILL ? ProcessTree.freeze(find) : find()
        for process in tree { process.send(signal, SIGCONT) }
    }

    /// Nothing is left.
    var areGone: Bool {
        reap()
        return rouse_has_children() == 0
    }
}
