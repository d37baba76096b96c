import SpoolFormat

/// A session as the daemon knows it: what is defined, what is remembered, and what is going on.
final class Session {
    let name: String
    var definition: SessionConfiguration
    /// By a file in `config/sessions/`, and not by `open`.
    var isConfigured: Bool
    var record: SessionRecord
    /// The job that is its turn.
    var turn: JobID?
    /// What that turn says of itself.
    var report: TurnReport?
    /// The job that is its process, and whether it runs yet.
    var process: JobID?
    var isProcessRunning = false
    /// The process that is known to be of the agent, and in the place, that are defined now.
    var currentProcess: JobID?
    /// Its turns that wait, and those of them that are wakes.
    var queued: Set<JobID> = []
    var waitingWakes: Set<JobID> = []
    var isStopping: Bool {
        get { record.isStopping }
        set { record.isStopping = newValue }
    }

    init(_ name: String, _ definition: SessionConfiguration, isConfigured: Bool, record: SessionRecord) {
        self.name = name
        self.definition = definition
        self.isConfigured = isConfigured
        self.record = record
    }

    var queue: String { SessionName.queue(of: name) }
    var processQueue: String { SessionName.processQueue(of: name) }

    /// What it does, by everything that is known.
    var state: SessionState {
        if isStopping { return .stopping }
        if turn != nil {
            switch report?.state {
            case .waiting: return .waiting
            case .starting, nil: return .starting
            case .working, .idle, .progress: return .working
            }
        }
        if record.locked != nil { return .locked }
        if record.pausedBy != nil { return .paused }
        if record.isBroken { return .broken }
        if process != nil { return isProcessRunning ? .idle : .starting }
        return .cold
    }

    /// Whether a turn may start, as far as the session itself decides.
    var takesTurns: Bool { !isStopping && turn == nil && record.pausedBy == nil && record.locked == nil && !record.isBroken }
}
