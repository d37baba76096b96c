import Glibc
import JobIndex
import SpoolFormat

/// Carries out the verbs that are said to a session: at once, with a result that says what it was and what it is.
final class SessionController {
    private let ledger: Ledger
    private let sessions: SessionBook
    private let keepers: Keepers
    private let control: TurnControl
    /// Ends a job that runs, or that waits.
    private let cancel: (JobID) throws -> Void

    init(ledger: Ledger, sessions: SessionBook, keepers: Keepers, control: TurnControl, cancel: @escaping (JobID) throws -> Void) {
        self.ledger = ledger
        self.sessions = sessions
        self.keepers = keepers
        self.control = control
        self.cancel = cancel
    }

    typealias Result = (output: JSON?, error: ErrorRecord?)

    /// - Parameter mark: tells this time that a verb is said from every other one, also of the same name.
    func perform(_ task: TaskRecord, mark: String) throws -> Result {
        do {
            switch task.verb {
            case .note(let note): return try keep(note, task)
            case .answer(let answer): return try give(answer, task, mark)
            case .session(let command): return try act(command, task, mark)
            case .run, .prompt, .wake, .tasks, .control: return (nil, nil)
            }
        } catch let fault as TaskFault {
            return (nil, ErrorRecord(fault.code, fault.message + (fault.hint.map { "; \($0)" } ?? "")))
        }
    }

    // MARK: notes and answers

    /// Notes that wait for the next prompt.
    private static let mostNotes = 100

    private func keep(_ note: Note, _ task: TaskRecord) throws -> Result {
        let session = try sessions.find(note.session)
        let directory = try ledger.spool.sessions.directory(makingIfMissing: session.name)
        let notes = try directory.directory(makingIfMissing: SpoolLayout.Session.notes)
        let names = try notes.entries().map(\.name.display).filter { $0.hasSuffix(".json") }
        guard names.count < Self.mostNotes || names.contains(task.id.text + ".json") else {
            return (nil, ErrorRecord("too_many_notes", "\(names.count) notes wait for the next prompt of \(session.name) already; at most \(Self.mostNotes) may"))
        }
        let json: JSON = [
            "id": .string(task.id.text), "text": .string(note.text), "at": .string(task.acceptedAt.description), "uid": .number(task.uid),
        ]
        try notes.replace(task.id.text + ".json", with: JSONWriter.write(json), synchronizing: true)
        return (["session": .string(session.name), "note": .string(task.id.text)], nil)
    }

    private func give(_ answer: Answer, _ task: TaskRecord, _ mark: String) throws -> Result {
        let session = try sessions.find(answer.session)
        let directory = try sessions.directory(of: session)
        let waiting = ((try? directory.readJSON(SpoolLayout.Session.waiting)) ?? nil).flatMap(WaitingRecord.init)
        let question = waiting.map { "\($0.job) \($0.since)" }
        // Carried out by a daemon that died before it could say so; the same question still waits if it died even before.
        if session.record.lastAnswer == mark, question != session.record.lastAnswered {
            return (["session": .string(session.name), "delivered": true], nil)
        }
        guard let waiting, session.turn?.text == waiting.job else {
            return (["session": .string(session.name), "delivered": false], ErrorRecord("not_waiting", "the session \(session.name) does not wait for input; it is \(session.state.rawValue)"))
        }
        var text = answer.text
        if !waiting.options.isEmpty {
            guard let option = waiting.option(for: answer.text) else {
                let ids = waiting.options.map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
                return (["session": .string(session.name), "delivered": false], ErrorRecord("no_such_option", "\"\(answer.text)\" is none of the options: \(ids)"))
            }
            text = option.id
        }
        session.record.lastAnswer = mark
        session.record.lastAnswered = question
        try directory.replace(SpoolLayout.Session.state, with: JSONWriter.write(session.record.json))
        try control.answer(session, text, to: waiting.request, by: task.id.text)
        return (["session": .string(session.name), "delivered": true, "answer": .string(text), "to": .string(waiting.message)], nil)
    }

    // MARK: sessions

    private func act(_ command: SessionCommand, _ task: TaskRecord, _ mark: String) throws -> Result {
        if command.verb == .open, let definition = command.definition, let fault = try define(command.session, definition) { return (nil, fault) }
        let session = try sessions.find(command.session)
        let was = session.state
        // Carried out by a daemon that died before it could say so. What has begun since is not to end by it once more.
        let isDone = session.record.lastVerb == mark
        var fault: ErrorRecord?
        switch command.verb {
        case .open: if keepers.isNeeded(session), session.takesTurns { try keepers.start(session) }
        case .stop: if !isDone { try stop(session) }
        case .restart: if !isDone { try restart(session, command) }
        case .interrupt: fault = try interrupt(session, command, task, mark, isDone: isDone)
        case .pause: session.record.pausedBy = session.record.pausedBy ?? task.id.text
        case .resume:
            if session.record.pausedBy == nil, !isDone { fault = ErrorRecord("not_paused", "the session \(session.name) is not paused") }
            session.record.pausedBy = nil
        case .lock:
            session.record.locked = SessionRecord.Lock(reason: command.reason, hint: command.hint, by: task.id.text, at: task.acceptedAt)
        case .unlock:
            if session.record.locked == nil, !isDone { fault = ErrorRecord("not_locked", "the session \(session.name) is not locked") }
            session.record.locked = nil
        }
        // What failed is not done: said again, it is tried again.
        if fault == nil { session.record.lastVerb = mark }
        try remember(session)
        var output: JSONObject = ["session": .string(session.name), "was": .string(was.rawValue), "now": .string(session.state.rawValue)]
        output["reason"] = .optional(command.reason)
        return (.object(output), fault)
    }

    /// What must hold also for the next daemon is on disk before the verb is done.
    private func remember(_ session: Session) throws {
        let directory = try ledger.spool.sessions.directory(makingIfMissing: session.name)
        try directory.replace(SpoolLayout.Session.state, with: JSONWriter.write(session.record.json), synchronizing: true)
        sessions.touch(session)
    }

    private func define(_ name: String, _ definition: SessionConfiguration) throws -> ErrorRecord? {
        if let session = sessions[name], session.isConfigured, session.definition != definition {
            return ErrorRecord("configured", "the session \(name) is defined by config/sessions/\(name).json; change it there")
        }
        if sessions[name]?.definition != definition { try sessions.define(name, definition, isConfigured: false) }
        return nil
    }

    private func stop(_ session: Session) throws {
        guard session.turn != nil || session.process != nil else { return }
        session.isStopping = true
        if let turn = session.turn { try cancel(turn) }
        if let process = session.process { try cancel(process) }
    }

    /// Ends a process that is not what is defined any more; the next turn starts another.
    func endOutdated(_ session: Session) throws {
        try stop(session)
        sessions.touch(session)
    }

    private func restart(_ session: Session, _ command: SessionCommand) throws {
        if command.isFresh {
            session.record.agentSession = nil
            session.record.usageTotal = nil
        }
        session.record.isBroken = false
        session.record.deaths = []
        session.record.isOpened = false
        try stop(session)
        if session.isStopping { session.record.mustRestart = true } else { try startAgain(session) }
    }

    /// What was stopped to be started again is gone.
    func startAgain(_ session: Session) throws {
        session.record.mustRestart = false
        sessions.touch(session)
        if keepers.isNeeded(session), session.takesTurns { try keepers.start(session) }
    }

    private func interrupt(_ session: Session, _ command: SessionCommand, _ task: TaskRecord, _ mark: String, isDone: Bool) throws -> ErrorRecord? {
        if !isDone {
            guard let turn = session.turn else { return ErrorRecord("no_turn", "the session \(session.name) is in no turn; it is \(session.state.rawValue)") }
            // Before the turn can hear of it: carried out again after a crash, the verb is for this one and no other.
            session.record.lastVerb = mark
            session.record.lastInterrupted = turn.text
            try remember(session)
        }
        guard let turn = session.turn, turn.text == session.record.lastInterrupted else { return nil }
        try control.interrupt(session, because: command.reason ?? "asked for", by: task.id.text)
        return nil
    }
}
