import ArgumentParser
import Glibc
import JobIndex
import SpoolFormat
import SpoolWatch

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Print what a job wrote.",
        discussion: """
            Standard output and standard error of the last attempt, as they came. With --follow: what is still to come, \
            too, attempt after attempt, until the job is finished.
            """)

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("The job's id.", valueName: "id"), completion: .jobIDs)
    var id: String

    @Flag(name: .shortAndLong, help: "Go on until the job is finished.")
    var follow = false

    @Option(help: ArgumentHelp("The attempt, from 1. (default: the last one)", valueName: "number"))
    var attempt: Int?

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Only the last lines.", valueName: "count"))
    var tail: Int?

    func validate() throws {
        if follow, attempt != nil { throw ValidationError("--follow goes with the last attempt, not with --attempt.") }
        if let tail, tail < 0 { throw ValidationError("--tail takes a number that is not negative.") }
    }

    func run() throws {
        let spool = try spool.open()
        let id = try SpoolDirectory.jobID(id)
        if follow { return try LogFollower(spool, id, tail: tail).run() }
        let history = try JobHistory(id, in: spool)
        guard let attempt else {
            // A job that never started wrote nothing.
            if let last = history.attempts.last { try print(last.directory) }
            return
        }
        guard let chosen = history.attempts.first(where: { $0.number == attempt }) else {
            let known = history.attempts.map { String($0.number) }.joined(separator: ", ")
            throw CommandFault(
                "\(id) has no attempt \(attempt); " + (known.isEmpty ? "it has not been started" : "there are: \(known)"), .missing)
        }
        try print(chosen.directory)
    }

    private func print(_ directory: Directory) throws {
        guard let log = try LogFile(directory) else { return }
        if let tail { try log.seek(toLast: tail) }
        try log.copyNew()
    }
}

/// Prints a log as it grows. A job's directory moves while it does, so the job is looked for again at each sign.
private struct LogFollower {
    private let spool: SpoolDirectory
    private let id: JobID
    private let tail: Int?
    private let bell: Bell

    init(_ spool: SpoolDirectory, _ id: JobID, tail: Int?) throws {
        self.spool = spool
        self.id = id
        self.tail = tail
        bell = try Bell()
        for name in [SpoolLayout.inbox, SpoolLayout.rejected] + JobState.allCases.map(\.rawValue) {
            _ = bell.watch(spool.path(name), for: .departures)
        }
        _ = bell.watch(spool.path(JobState.running.rawValue, id.text), for: .writes)
    }

    func run() throws {
        var over = 0
        var current: (number: Int, log: LogFile)?
        while true {
            switch try spool.place(of: id) {
            case .job:
                // The state is read before the log: what a finished job wrote is all there then.
                let history = try JobHistory(id, in: spool)
                if over == 0, let tail { over = try skip(history, tail: tail, &current) }
                for attempt in history.attempts where attempt.number > over {
                    let isLive = attempt.isCurrent && history.state == .running
                    if current?.number != attempt.number {
                        guard let log = try LogFile(attempt.directory) else {
                            if !isLive { over = attempt.number }
                            continue
                        }
                        if attempt.number > 1 { Terminal.note("--- attempt \(attempt.number) ---") }
                        current = (attempt.number, log)
                    }
                    try current?.log.copyNew()
                    if !isLive { over = attempt.number }
                }
                if history.state.isFinished { return }
            case .inbox, .staging: break
            case .rejected, nil:
                // A job that was there and is forgotten has said all.
                if over > 0 || current != nil { return }
                _ = try JobHistory(id, in: spool)
            }
            _ = bell.wait()
        }
    }

    /// With `--tail`, only the last attempt is of interest, from its last lines on.
    private func skip(_ history: JobHistory, tail: Int, _ current: inout (number: Int, log: LogFile)?) throws -> Int {
        guard current == nil, let last = history.attempts.last else { return 0 }
        if let log = try LogFile(last.directory) {
            try log.seek(toLast: tail)
            current = (last.number, log)
        }
        return last.number - 1
    }
}
