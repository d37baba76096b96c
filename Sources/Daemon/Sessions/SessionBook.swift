import Glibc
import JobIndex
import SpoolFormat

/// All sessions: their definitions, and `sessions/<name>/` kept in step with what they do.
final class SessionBook {
    private let ledger: Ledger
    private let files: ConfigurationDirectory<SessionConfiguration>
    private var sessions: [String: Session] = [:]
    /// Those that may be woken for a job that does not name them: they are asked at each change of each job.
    private(set) var coordinators: [Session] = []
    private var changed: Set<String> = []
    /// A session's directory is to be watched as long as it is in a turn.
    var onTurn: (String, _ isInTurn: Bool) -> Void = { _, _ in }
    /// The process of a session that is no more.
    var onForgotten: (JobID) -> Void = { _ in }
    /// A session's process or turn has ended.
    var onEnded: (String) -> Void = { _ in }

    init(_ ledger: Ledger) {
        self.ledger = ledger
        files = ConfigurationDirectory(ledger.spool, "sessions") { json throws(TaskFault) in try SessionConfiguration.read(json) }
    }

    private var spool: Spool { ledger.spool }

    subscript(name: String) -> Session? { sessions[name] }
    var all: some Collection<Session> { sessions.values }

    /// The session, or why there is none.
    func find(_ name: String, at path: JSONPath = JSONPath()) throws(TaskFault) -> Session {
        if let session = sessions[name] { return session }
        let names = sessions.keys.sorted()
        throw TaskFault(
            "unknown_session", "there is no session called \"\(name)\"", at: path,
            expected: names.isEmpty ? "a session of config/sessions/<name>.json" : "one of " + names.prefix(20).joined(separator: ", "),
            hint: nearest(to: name, among: names).map { "did you mean \"\($0)\"?" }
                ?? #"open it: {"open": "\#(name)", "agent": "<agent>"}, or write config/sessions/\#(name).json"#)
    }

    // MARK: definitions

    /// When a file that may be half-written is to be looked at again.
    var nextLook: TimeSpan? { files.nextLook }

    func refresh(_ report: (ConfigurationDirectory<SessionConfiguration>.Change) throws -> Void) throws {
        try files.refresh { change in
            if let definition = change.value {
                try define(change.name, definition, isConfigured: true)
            } else if sessions[change.name]?.isConfigured == true {
                try forget(change.name)
            }
            try report(change)
        }
    }

    /// The sessions that were opened by a task, when the daemon starts.
    func load() throws {
        for entry in try spool.sessions.entries() where entry.kind == .directory {
            guard let name = SessionName.check(entry.name.display), sessions[name] == nil else { continue }
            let directory = try spool.sessions.directory(name)
            guard let json = (try? directory.readJSON(SpoolLayout.Session.definition)) ?? nil
            else { continue }
            if json["configured"]?.bool == true {
                // Its configuration went while no daemon was there.
                try directory.removeFile(SpoolLayout.Session.definition)
                continue
            }
            guard
                let definition = try? SessionConfiguration.read(Self.bare(json))
            else { continue }
            try define(name, definition, isConfigured: false)
        }
    }

    private static let ownFields = ["session", "configured"]

    private static func bare(_ json: JSON) -> JSON {
        var object = json.object ?? [:]
        for name in ownFields { object[name] = nil }
        return .object(object)
    }

    /// The session's directory; made again, with what is defined, where somebody has taken it away.
    func directory(of session: Session) throws -> Directory {
        if !spool.sessions.contains("\(session.name)/\(SpoolLayout.Session.definition)") {
            try writeDefinition(session.name, session.definition, isConfigured: session.isConfigured)
        }
        return try spool.sessions.directory(session.name)
    }

    /// Makes or changes a session, and its directory with `session.json`.
    func define(_ name: String, _ definition: SessionConfiguration, isConfigured: Bool) throws {
        let directory = try writeDefinition(name, definition, isConfigured: isConfigured)
        if let session = sessions[name] {
            session.definition = definition
            session.isConfigured = isConfigured
            session.currentProcess = nil
            if session.record.agent != definition.agent { anew(session, definition.agent) }
        } else {
            var record = ((try? directory.readJSON(SpoolLayout.Session.state)) ?? nil).flatMap(SessionRecord.init) ?? SessionRecord(agent: definition.agent)
            // It is stopping as long as there is something that was told to end. What has been started since was not, also
            // where the daemon died before it could write that down.
            let wasStopping = record.isStopping
            record.isStopping = false
            let session = Session(name, definition, isConfigured: isConfigured, record: record)
            sessions[name] = session
            look(at: session)
            session.isStopping = wasStopping && (isEnding(session.turn) || isEnding(session.process))
            if session.process != nil, !session.isStopping { session.record.mustRestart = false }
            if record.agent != definition.agent { anew(session, definition.agent) }
        }
        findCoordinators()
        changed.insert(name)
    }

    private func isEnding(_ id: JobID?) -> Bool {
        guard let id, let job = try? spool.job(id, in: .running) else { return false }
        return ((try? job.readState()) ?? nil)?.ending != nil
    }

    @discardableResult
    private func writeDefinition(_ name: String, _ definition: SessionConfiguration, isConfigured: Bool) throws -> Directory {
        let directory = try spool.sessions.directory(makingIfMissing: name)
        var json: JSONObject = ["session": .string(name)]
        for member in definition.json.members { json[member.name] = member.value }
        json["configured"] = isConfigured ? true : nil
        let bytes = JSONWriter.write(.object(json))
        if try directory.read(SpoolLayout.Session.definition)?.bytes != bytes {
            try directory.replace(SpoolLayout.Session.definition, with: bytes, synchronizing: true)
        }
        return directory
    }

    private func findCoordinators() { coordinators = sessions.values.filter { $0.definition.role == .coordinator } }

    /// Another agent knows nothing of the conversation with the one before.
    private func anew(_ session: Session, _ agent: String) {
        session.record.agent = agent
        session.record.agentSession = nil
        session.record.usageTotal = nil
    }

    /// The configuration of an agent has changed: its processes may be of the one before.
    func agentChanged(_ name: String) {
        for session in sessions.values where session.definition.agent == name { session.currentProcess = nil }
    }

    /// Its definition is gone; what it said and did stays, and its process ends.
    private func forget(_ name: String) throws {
        if let process = sessions[name]?.process { onForgotten(process) }
        sessions[name] = nil
        findCoordinators()
        try spool.sessions.directory(name).removeFile(SpoolLayout.Session.definition)
    }

    // MARK: what goes on

    /// Processes that stay between turns, of all sessions.
    var processes: Int { sessions.values.count { $0.isProcessRunning } }

    /// How many sessions are in each state.
    var counts: [SessionState: Int] { sessions.values.reduce(into: [:]) { $0[$1.state, default: 0] += 1 } }

    private func look(at session: Session) {
        let unfinished: Set<JobState> = [.waiting, .queued, .running]
        for queue in [session.queue, session.processQueue] {
            for row in ledger.ask([], { try $0.list(JobFilter(states: unfinished, queue: queue)) }) { observe(row) }
        }
    }

    /// Jobs may have come or gone without having been heard of.
    func lookAgain() {
        for session in sessions.values {
            if !spool.sessions.contains("\(session.name)/\(SpoolLayout.Session.definition)") { changed.insert(session.name) }
            (session.queued, session.waitingWakes) = ([], [])
            for id in [session.turn, session.process].compactMap(\.self) {
                let row = ledger.ask(nil) { try $0.job(id) }
                if let row { observe(row) } else { gone(id, session) }
            }
            look(at: session)
        }
    }

    private func gone(_ id: JobID, _ session: Session) {
        if session.turn == id {
            (session.turn, session.report) = (nil, nil)
            onTurn(session.name, false)
        }
        if session.process == id { (session.process, session.isProcessRunning) = (nil, false) }
        changed.insert(session.name)
        ended(session)
    }

    /// A job has changed its state.
    func observe(_ row: JobRow) {
        if let name = SessionName.session(ofQueue: row.queue) {
            guard let session = sessions[name] else { return }
            changed.insert(name)
            note(row, of: session)
            if row.state == .running, session.turn != row.id {
                session.turn = row.id
                session.report = nil
                onTurn(name, true)
            } else if row.state != .running, session.turn == row.id {
                session.turn = nil
                session.report = nil
                ended(session)
                onTurn(name, false)
            }
        } else if let name = SessionName.session(ofProcessQueue: row.queue) {
            guard let session = sessions[name] else { return }
            changed.insert(name)
            if row.state.isFinished {
                guard session.process == row.id else { return }
                // Somebody has ended it: the daemon at its end, or `cancel`.
                if !session.isStopping, row.outcome != .cancelled, row.outcome != .superseded { died(session) }
                (session.process, session.isProcessRunning) = (nil, false)
                ended(session)
            } else {
                session.process = row.id
                session.isProcessRunning = row.state == .running
            }
        }
    }

    private func note(_ row: JobRow, of session: Session) {
        let isWaiting = row.state == .queued || row.state == .waiting
        if isWaiting { session.queued.insert(row.id) } else { session.queued.remove(row.id) }
        if isWaiting, row.verb == "wake" { session.waitingWakes.insert(row.id) } else { session.waitingWakes.remove(row.id) }
    }

    private func ended(_ session: Session) {
        if session.turn == nil, session.process == nil { session.isStopping = false }
        onEnded(session.name)
    }

    /// So often, in so short a time, and the session is broken (the design's §7).
    private static let mostDeaths = 5
    private static let deathWindow = TimeSpan.minutes(15)

    private func died(_ session: Session) {
        session.record.deaths = session.record.deaths.filter { Timestamp.now - $0 < Self.deathWindow } + [.now]
        ledger.events.append("session_died", ["session": .string(session.name), "process": .optional(session.process?.text) ?? .null])
        if session.record.deaths.count >= Self.mostDeaths {
            session.record.isBroken = true
            ledger.events.append("session_broken", ["session": .string(session.name)])
        }
    }

    /// Reads what a session's turn, or its agent, has said.
    func hear(_ name: String) {
        guard let session = sessions[name], let turn = session.turn, let directory = try? spool.sessions.directory(name) else { return }
        if let report = report(SpoolLayout.Session.turn, in: directory), report.job == turn.text, report != session.report {
            session.report = report
            if let message = report.message, report.state == .progress { session.record.progress = message }
            changed.insert(name)
        }
        if let report = report(SpoolLayout.Session.report, in: directory), session.record.progress != report.message, let message = report.message {
            session.record.progress = message
            changed.insert(name)
        }
    }

    private func report(_ file: String, in directory: Directory) -> TurnReport? {
        ((try? directory.readJSON(file)) ?? nil).flatMap(TurnReport.init)
    }

    func touch(_ session: Session) { changed.insert(session.name) }

    /// Writes down what has changed.
    func flush() throws {
        guard !changed.isEmpty else { return }
        var failure: (any Error)?
        for name in changed {
            // What one of them lacks keeps none of the others.
            do {
                if let session = sessions[name] { try write(session, queued: session.queued.count) }
                changed.remove(name)
            } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func write(_ session: Session, queued: Int) throws {
        var record = session.record
        record.turn = session.turn?.text
        record.process = session.process?.text
        record.queued = queued
        let state = session.state
        if record.state != state {
            ledger.events.append("session_state", ["session": .string(session.name), "from": .string(record.state.rawValue), "to": .string(state.rawValue)])
            record.state = state
            record.since = .now
        }
        let directory = try directory(of: session)
        let bytes = JSONWriter.write(record.json)
        if try directory.read(SpoolLayout.Session.state)?.bytes != bytes { try directory.replace(SpoolLayout.Session.state, with: bytes) }
        session.record = record
    }
}
