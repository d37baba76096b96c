import JobIndex
import SpoolFormat

/// One job's directory, read: what `show` and `log` need of it.
struct JobHistory {
    struct Attempt {
        let number: Int
        let run: JSON?
        let exit: ExitRecord?
        /// Holds `log`, if there is one.
        let directory: Directory
        /// It is the attempt whose files lie in the job's own directory.
        let isCurrent: Bool
    }

    let id: JobID
    let state: JobState
    let directory: Directory
    let row: JobRow?
    let task: JSON?
    let waiting: StateRecord?
    let result: JSON?
    /// From the first to the last.
    let attempts: [Attempt]

    init(_ id: JobID, in spool: SpoolDirectory) throws {
        // A job that moves between the look and the opening is looked for again.
        for _ in 0..<5 {
            guard let state = spool.state(of: id) else { break }
            guard let directory = try JobFiles.directory(of: id, in: state, of: spool.root) else { continue }
            try self.init(id, state, directory)
            return
        }
        switch try spool.place(of: id) {
        case .rejected: throw CommandFault(spool.rejectionText(of: id), .badData)
        case .inbox, .staging:
            let probe = DaemonProbe(spool: spool.path)
            throw CommandFault(
                "\(id) is in the inbox and not yet taken in" + (probe.state == .stopped ? "; no daemon is running (\(DaemonProbe.advice))" : ""),
                .missing)
        default: throw spool.noSuchJob(id)
        }
    }

    private init(_ id: JobID, _ state: JobState, _ directory: Directory) throws {
        self.id = id
        self.state = state
        self.directory = directory
        row = try JobFiles.row(in: directory, id: id, state: state)
        task = Self.json(SpoolLayout.Job.task, in: directory)
        waiting = Self.json(SpoolLayout.Job.state, in: directory).flatMap(StateRecord.init)
        result = Self.json(SpoolLayout.Job.result, in: directory)
        var attempts: [Attempt] = []
        if let earlier = try? directory.directory(SpoolLayout.Job.attempts) {
            for number in try earlier.entries().compactMap({ Int($0.name.display) }).sorted() {
                let inner = try earlier.directory(String(number))
                attempts.append(Self.attempt(number, in: inner, isCurrent: false))
            }
        }
        // In queued/, run.json is only the intent of an attempt that has not begun.
        if state != .queued, directory.contains(SpoolLayout.Job.run) {
            let current = Self.attempt((attempts.last?.number ?? 0) + 1, in: directory, isCurrent: true)
            if current.number > attempts.last?.number ?? 0 { attempts.append(current) }
        }
        self.attempts = attempts
    }

    private static func attempt(_ number: Int, in directory: Directory, isCurrent: Bool) -> Attempt {
        let run = json(SpoolLayout.Job.run, in: directory)
        return Attempt(
            number: isCurrent ? run?["attempt"]?.int ?? number : number, run: run,
            exit: json(SpoolLayout.Job.exit, in: directory).flatMap(ExitRecord.init), directory: directory,
            isCurrent: isCurrent)
    }

    static func json(_ name: String, in directory: Directory) -> JSON? {
        (try? directory.readJSON(name)) ?? nil
    }
}
