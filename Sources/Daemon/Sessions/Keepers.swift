import Glibc
import JobIndex
import JobRunner
import SpoolFormat

/// The processes that stay between the turns of a session: each is an ordinary job, so it is guarded, adopted, ended and
/// recorded like any other.
final class Keepers {
    private let ledger: Ledger
    private let staging: Staging
    private let agents: AgentBook
    private let program: String

    /// - Parameter program: the path of `rouse-agent`.
    init(ledger: Ledger, staging: Staging, agents: AgentBook, program: String) {
        self.ledger = ledger
        self.staging = staging
        self.agents = agents
        self.program = program
    }

    /// When a process that waits to be started may be, since this was last asked.
    private var shortestWait: TimeSpan?

    /// As long as an attempt can be given.
    private static let timeout = TimeSpan.days(3650)

    /// Whether the session's agent stays between turns.
    func isNeeded(_ session: Session) -> Bool {
        agents[session.definition.agent].map { $0.configuration.driver != .command } ?? false
    }

    /// Whether the session's process is the one that would be started now.
    func isCurrent(_ session: Session, _ agent: AgentBook.Entry) throws -> Bool {
        guard agent.configuration.driver != .command, let id = session.process else { return false }
        let job = try ledger.spool.job(id, in: .running)
        guard let json = try job.readJSON(SpoolLayout.Job.prompt), let prompt = try? TurnRecord.read(json) else { return false }
        let task = try ledger.task(id, in: job)
        let cwd = try SessionPlace.workingDirectory(of: session, in: ledger.spool)
        return prompt.agentName == session.definition.agent && prompt.agent == agent.json
            && prompt.model == session.definition.model ?? agent.configuration.model
            && prompt.cwd == cwd
            && task.options.env == SessionPlace.environment(of: session, agent.configuration)
    }

    /// Has the session's process started because a turn needs it. Where the one before has just died, a little later: each
    /// time a turn is kept waiting twice as long, until there have been so many deaths that the session is broken.
    func revive(_ session: Session) throws {
        if session.process == nil, let last = session.record.deaths.last {
            let pause = Self.shortestPause << Int64(min(session.record.deaths.count, 6) - 1)
            let left = (last - .now).milliseconds + pause
            // More than all of it is left where somebody has set the clock.
            if left > 0, left <= pause {
                shortestWait = min(shortestWait ?? .longest, TimeSpan(milliseconds: left))
                return
            }
        }
        try start(session)
    }

    /// In milliseconds, after the first death.
    private static let shortestPause: Int64 = 250

    func takeWait() -> TimeSpan? {
        defer { shortestWait = nil }
        return shortestWait
    }

    /// Has the session's process started. The job is there before the process is, and holds the session's place: there
    /// is never a second one.
    func start(_ session: Session) throws {
        guard session.process == nil else { return }
        let agent = try agents.find(session.definition.agent, at: JSONPath([.name("agent")]))
        var options = TaskOptions()
        options.key = session.processQueue
        options.onCrash = .fail
        options.timeout = Self.timeout
        options.grace = session.definition.grace ?? agent.configuration.grace
        options.cwd = try SessionPlace.workingDirectory(of: session, in: ledger.spool)
        options.env = SessionPlace.environment(of: session, agent.configuration)
        options.labels = ["session": session.name]
        let id = staging.newID("\(session.name).agent")
        let task = TaskRecord(
            id: id, sequence: ledger.takeSequence(), verb: .run([program, "keep"]), queue: session.processQueue, uid: geteuid(),
            acceptedAt: .now, depth: 0, options: options)
        let prompt = TurnRecord(
            id: id, session: session.name, agentName: session.definition.agent, agent: agent.json,
            model: session.definition.model ?? agent.configuration.model, cwd: options.cwd!, agentSession: session.record.agentSession,
            source: .synthetic, content: [], display: nil, reasons: [],
            lostSession: session.definition.lostSession ?? agent.configuration.lostSession, summary: nil)
        try staging.originate(task, files: [SpoolLayout.Job.prompt: JSONWriter.write(prompt.json)])
    }
}

/// Where a session's agent works, and with what environment.
enum SessionPlace {
    static func workingDirectory(of session: Session, in spool: Spool) throws(SystemFault) -> String {
        if let cwd = session.definition.cwd { return cwd }
        let directory = try spool.sessions.directory(makingIfMissing: session.name)
        _ = try directory.directory(makingIfMissing: SpoolLayout.Session.work)
        return "\(spool.path)/\(SpoolLayout.sessions)/\(session.name)/\(SpoolLayout.Session.work)"
    }

    static func environment(of session: Session, _ agent: AgentConfiguration) -> [String: EnvironmentValue] {
        var environment = agent.environment.merging(session.definition.environment) { _, own in own }
        environment[JobVariables.session] = .text(session.name)
        return environment
    }
}
