import CLinux
import Glibc
import SpoolFormat

/// A turn under way: what it is about, and all by which its driver and the daemon tell each other things.
final class Turn {
    let record: TurnRecord
    let agent: AgentConfiguration
    /// `running/<id>`
    let job: Directory
    /// `sessions/<name>`; `nil` for an agent that runs once.
    let session: Directory?
    /// What keeps the session's agent between turns; `nil` where nothing does, or where that is what this process is.
    let keeper: KeeperJob?
    let events: SessionEvents
    /// Milliseconds that this process has from SIGTERM to SIGKILL.
    let grace: Int64
    private let signals: Int32
    private let identity: ProcessIdentity?
    private var state: TurnReport.State?

    /// Somebody wants the turn to end; the agent goes on living.
    private(set) var isInterrupted = false
    /// The runner wants this process, and all it has started, to end.
    private(set) var isTerminated = false
    /// A child may have ended since this was last looked at.
    var mayHaveChildrenEnded = false
    /// The agent may have heard the prompt: whatever fails now, it is not to be said again as if it had not.
    var isPromptOut = false
    private var answer: String?
    /// How often the agent has waited for input: the number of the last request.
    private var requests = 0
    private var report: TurnReport?

    /// The turn whose job is in this directory.
    init(inJob path: String, spool: String) throws(TurnFault) {
        signals = rouse_turn_signal_descriptor()
        rouse_ignore_signal(SIGPIPE)
        identity = ProcessIdentity(pid: getpid())
        do {
            job = try Directory(path)
            guard let json = try job.readJSON(SpoolLayout.Job.prompt) else {
                throw TurnFault("no_prompt", "\(path) has no \(SpoolLayout.Job.prompt)")
            }
            record = try TurnRecord.read(json)
            agent = try AgentConfiguration.read(record.agent)
            grace = try (job.readRun()?.grace ?? agent.grace ?? Defaults.grace).milliseconds
            let root = try Directory(spool)
            session = try record.session.map { name throws(SystemFault) in try root.directory(SpoolLayout.sessions).directory(name) }
            keeper = record.process.map { KeeperJob($0, in: root) }
        } catch let fault as TurnFault {
            throw fault
        } catch let fault as TaskFault {
            throw TurnFault("bad_prompt", fault.message)
        } catch {
            throw TurnFault("bad_prompt", "\(error)")
        }
        events = SessionEvents(in: session ?? job, turn: record.id)
        // What came before this process could hear it.
        look()
    }

    // MARK: telling the daemon

    /// Says what the agent does. The same again is not said twice, unless there is a message.
    func say(_ state: TurnReport.State, _ message: String? = nil) {
        guard state != self.state || message != nil else { return }
        if state != .progress { self.state = state }
        guard let session else { return }
        let report = TurnReport(state, job: record.id.text, message: message, process: identity)
        try? session.replace(SpoolLayout.Session.turn, with: JSONWriter.write(report.json))
    }

    /// The agent may have heard the prompt from now on, or in an attempt before this one.
    func noteSaid() throws(TurnFault) {
        do throws(SystemFault) {
            try job.replace(SpoolLayout.Job.said, with: JSONWriter.write(["at": .string(Timestamp.now.description)]))
        } catch { throw TurnFault(error) }
    }

    /// The prompt is about to be sent. That is written down first; where it can't be, nothing is sent. Should this process
    /// be killed, it is known by that whether the agent may have heard it.
    func willPrompt() throws(TurnFault) {
        try noteSaid()
        do throws(SystemFault) {
            try events.append("prompt", ["source": .string(record.source.rawValue), "content": .array(record.content.map(\.json))])
        } catch { throw TurnFault(error) }
        say(.working)
    }

    /// The agent has said that it waits for input.
    func wait(for waiting: WaitingRecord) {
        answer = nil
        requests += 1
        var waiting = waiting
        waiting.request = requests
        _ = try? job.removeFile(SpoolLayout.Job.answer)
        if let session { try? session.replace(SpoolLayout.Session.waiting, with: JSONWriter.write(waiting.json)) }
        try? events.append("waiting", ["message": .string(waiting.message)])
        say(.waiting, waiting.message)
    }

    /// It waits no longer.
    func endWait() {
        if let session { try? session.removeFile(SpoolLayout.Session.waiting) }
        answer = nil
        say(.working)
    }

    // MARK: hearing from the daemon

    /// The answer that has come since `wait(for:)`, once.
    func takeAnswer() -> String? {
        defer { answer = nil }
        return answer
    }

    /// What the agent's own hooks have reported since this was last asked.
    func takeReport() -> TurnReport? {
        defer { report = nil }
        return report
    }

    private func look() {
        if job.contains(SpoolLayout.Job.interrupt) { isInterrupted = true }
        if let json = (try? job.readJSON(SpoolLayout.Job.answer)) ?? nil {
            _ = try? job.removeFile(SpoolLayout.Job.answer)
            // Given to what was asked before, it may mean something else now.
            if let request = json["request"]?.int, request != requests {
                try? events.append("answer_late", ["answer": json["answer"] ?? .null, "request": .number(request)])
            } else {
                answer = json["answer"]?.string
            }
        }
        if let session, let json = (try? session.readJSON(SpoolLayout.Session.report)) ?? nil, let report = TurnReport(json) {
            self.report = report
        }
    }

    /// Waits until one of `descriptors` can be read (or written, for those that are to be written), something comes
    /// from the daemon, or the time is up.
    /// - Parameter until: by `Monotonic`; `nil` is for ever.
    /// - Returns: the descriptors that are ready, or whose other end is gone.
    @discardableResult
    func wait(reading descriptors: [Int32], writing: [Int32] = [], until deadline: Int64? = nil) -> [Int32] {
        var watched = ([signals] + descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        watched += writing.map { pollfd(fd: $0, events: Int16(POLLOUT), revents: 0) }
        let patience = deadline.map { Int32(clamping: max(0, min($0 - Monotonic.now, 86_400_000))) } ?? -1
        guard poll(&watched, nfds_t(watched.count), patience) > 0 else { return [] }
        if watched[0].revents != 0 { takeSignals() }
        return watched.dropFirst().filter { $0.revents != 0 }.map(\.fd)
    }

    private func takeSignals() {
        while true {
            switch rouse_next_signal(signals) {
            case 0: return
            case SIGCHLD: mayHaveChildrenEnded = true
            case SIGUSR1: look()
            default: isTerminated = true
            }
        }
    }
}
