import Glibc
import SpoolFormat

/// The directories of a spool, held open.
final class Spool {
    /// Absolute, without symbolic links.
    let path: String
    let root: Directory
    // People make, move and remove these while the daemon runs; see `reopen`.
    private(set) var rejected: Directory
    private(set) var staging: Directory
    private(set) var events: Directory
    private(set) var archive: Directory
    private(set) var inbox: Directory
    private(set) var daemon: Directory
    private(set) var queues: Directory
    private(set) var schedules: Directory
    private(set) var agents: Directory
    private(set) var sessionDefinitions: Directory
    private(set) var sessions: Directory
    private var states: [JobState: Directory]
    /// For the next jobs.
    let blanks: Blanks

    /// Opens the spool at `path`, making sub-directories that are missing: version control keeps no empty ones.
    init(_ path: String) throws(DaemonFault) {
        guard let resolved = realpath(path, nil) else {
            throw DaemonFault(
                "there is no spool at \(path): \(String(cString: strerror(errno))); make one with: rouse init \(path)",
                exitCode: 66)
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        do throws(SystemFault) {
            let root = try Directory(self.path)
            self.root = root
            guard root.contains(SpoolLayout.inbox) else {
                throw SystemFault("find inbox/ in", path, errno: ENOENT)
            }
            func open(_ name: String) throws(SystemFault) -> Directory { try root.directory(makingIfMissing: name) }
            inbox = try open(SpoolLayout.inbox)
            rejected = try open(SpoolLayout.rejected)
            staging = try open(SpoolLayout.staging)
            events = try open(SpoolLayout.events)
            archive = try open(SpoolLayout.archive)
            daemon = try open(SpoolLayout.daemon)
            blanks = Blanks(in: try? daemon.directory(makingIfMissing: SpoolLayout.Daemon.blanks), prefix: "daemon", files: 4, directories: 2)
            let config = try open(SpoolLayout.config)
            for kind in SpoolLayout.configKinds { _ = try config.directory(makingIfMissing: kind) }
            sessions = try open(SpoolLayout.sessions)
            agents = try config.directory("agents")
            sessionDefinitions = try config.directory("sessions")
            queues = try config.directory("queues")
            schedules = try config.directory("schedules")
            var states: [JobState: Directory] = [:]
            for state in JobState.allCases { states[state] = try open(state.rawValue) }
            self.states = states
        } catch {
            if error.isMissing {
                throw DaemonFault("\(path) is not a spool: it has no inbox/; make one with: rouse init \(path)", exitCode: 66)
            }
            throw DaemonFault("\(error)", exitCode: error.errno == EACCES || error.errno == EPERM ? 77 : 74)
        }
    }

    /// Opens the directories again: another one may have taken the place of one that was held open. What is missing is
    /// made, as at the start.
    func reopen() throws(SystemFault) {
        for state in JobState.allCases { states[state] = try root.directory(makingIfMissing: state.rawValue) }
        rejected = try root.directory(makingIfMissing: SpoolLayout.rejected)
        staging = try root.directory(makingIfMissing: SpoolLayout.staging)
        events = try root.directory(makingIfMissing: SpoolLayout.events)
        archive = try root.directory(makingIfMissing: SpoolLayout.archive)
        inbox = try root.directory(makingIfMissing: SpoolLayout.inbox)
        daemon = try root.directory(makingIfMissing: SpoolLayout.daemon)
        if !daemon.contains(SpoolLayout.Daemon.blanks) {
            blanks.reopen(in: try? daemon.directory(makingIfMissing: SpoolLayout.Daemon.blanks))
        }
        let config = try root.directory(makingIfMissing: SpoolLayout.config)
        queues = try config.directory(makingIfMissing: "queues")
        schedules = try config.directory(makingIfMissing: "schedules")
        agents = try config.directory(makingIfMissing: "agents")
        sessionDefinitions = try config.directory(makingIfMissing: "sessions")
        sessions = try root.directory(makingIfMissing: SpoolLayout.sessions)
    }

    func directory(of state: JobState) -> Directory { states[state]! }

    func job(_ id: JobID, in state: JobState) throws(SystemFault) -> Directory {
        try directory(of: state).directory(id.text)
    }

    /// The job's directory, or `nil` where the job is not in that state any more.
    func jobIfThere(_ id: JobID, in state: JobState) throws(SystemFault) -> Directory? {
        do throws(SystemFault) {
            return try job(id, in: state)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// The state of `id` by the files: the directory that has it, or `nil`.
    func state(of id: JobID) -> JobState? {
        JobState.allCases.first { directory(of: $0).contains(id.text) }
    }

    func isUsed(_ id: JobID) -> Bool { staging.contains(id.text) || state(of: id) != nil }
}
