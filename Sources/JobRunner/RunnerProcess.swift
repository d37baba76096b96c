import CLinux
import Glibc
import Processes
public import SpoolFormat

/// A runner that this daemon started, and the socket to it. It takes one attempt after another.
///
/// Nothing here waits: the event loop watches `descriptor` and calls `receive` when it is readable. When the socket
/// closes, the runner goes on to the end of its attempt and then exits by itself.
public final class RunnerProcess {
    /// Who may act on a `run.json`: the fence between this runner and any other.
    public let identity: ProcessIdentity
    private var socket: PacketSocket
    private var isOpen = true

    private init(identity: ProcessIdentity, socket: PacketSocket) {
        self.identity = identity
        self.socket = socket
    }

    deinit { close() }

    /// The socket, non-blocking. It becomes readable when the runner says something, and when it is gone.
    public var descriptor: Int32 { socket.descriptor }

    /// Its descriptor is no longer its own.
    public var isLetGo: Bool { !isOpen }

    /// The runner is gone. What became of its attempt, the job's directory says: `AttemptEvidence.examine`.
    public var isClosed: Bool { !isOpen || socket.isClosed }

    /// Starts a runner in the directory `spool`, in a session of its own so that no terminal can end it.
    public static func spawn(executable: String, spool: String) throws(SystemFault) -> RunnerProcess {
        var ends: [Int32] = [-1, -1]
        guard rouse_packet_pair(&ends) == 0 else { throw SystemFault("make a socket pair for", executable) }
        let (own, its) = (ends[0], ends[1])
        defer { Glibc.close(its) }
        let pid: pid_t
        do throws(SystemFault) {
            guard rouse_set_cloexec_nonblock(own) == 0 else { throw SystemFault("set up the socket of", executable) }
            pid = try start(executable, in: spool, socket: its)
        } catch {
            Glibc.close(own)
            throw error
        }
        guard let identity = ProcessIdentity(pid: pid) else {
            Glibc.close(own)
            throw SystemFault("start", executable, errno: ESRCH)
        }
        return RunnerProcess(identity: identity, socket: PacketSocket(own))
    }

    /// The longest record that a runner is told to prepare: it must fit into a packet.
    private static let longestRecord = 32 << 10

    /// Tells the runner what it is likely to be told to run next.
    public func prepare(_ id: JobID, attempt: Int, _ record: [UInt8]) {
        guard isOpen, record.count <= Self.longestRecord else { return }
        _ = socket.send(.prepare(id, attempt: attempt, record), waiting: false)
    }

    /// Tells the runner to run the attempt that `running/<id>/run.json` describes.
    public func run(_ id: JobID, attempt: Int) throws(SystemFault) {
        guard isOpen, socket.send(.run(id, attempt: attempt), waiting: false) else {
            throw SystemFault("tell to run \(id)", "runner \(identity.pid)", errno: isOpen ? errno : EPIPE)
        }
    }

    /// Tells the runner to end the attempt. If it is over already, its true end is what counts.
    public func cancel(_ id: JobID, attempt: Int) {
        guard isOpen, !socket.send(.cancel(id, attempt: attempt), waiting: false), errno == EAGAIN else { return }
        // A socket full of messages means a runner that is stuck. A signal says the same, and always arrives.
        guard let handle = identity.openDescriptor() else { return }
        _ = rouse_pidfd_send_signal(handle, SIGTERM)
        Glibc.close(handle)
    }

    /// What the runner has said since the last call, in order; also sets `isClosed`.
    public func receive() -> [RunnerMessage] { isOpen ? socket.receive() : [] }

    /// Lets go of the runner: it ends after its attempt, or at once where it has none.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(socket.descriptor)
    }

    private static func start(_ executable: String, in spool: String, socket: Int32) throws(SystemFault) -> pid_t {
        var attributes = posix_spawnattr_t()
        var actions = posix_spawn_file_actions_t()
        var failure = rouse_spawn_attributes(&attributes)
        guard failure == 0 else { throw SystemFault("start", executable, errno: failure) }
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, socket, RunnerProtocol.socket)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, RunnerProtocol.socket + 1)
        posix_spawn_file_actions_addchdir_np(&actions, spool)
        var pid: pid_t = 0
        // A daemon that was itself started by a job must not hand that job's name on: its runners would be taken for
        // processes of that job.
        let environment = CStrings.ownEnvironment { JobVariables.all.contains($0) }
        let path = executable.hasPrefix("/") ? executable : currentDirectory() + "/" + executable
        failure = CStrings([executable]).withPointers { arguments in
            environment.withPointers { posix_spawn(&pid, path, &actions, &attributes, arguments, $0) }
        }
        guard failure == 0 else { throw SystemFault("start", executable, errno: failure) }
        return pid
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }
}

/// What daemon and runner agree on beside their messages.
package enum RunnerProtocol {
    /// The number of the runner's end of the socket.
    package static let socket: Int32 = 3
}
