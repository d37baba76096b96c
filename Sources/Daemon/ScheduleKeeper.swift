import SpoolFormat

/// Drops the tasks of `config/schedules/` when their times come.
///
/// A firing is a file in the inbox like every other task. Its name is made of the schedule's name and of the time, and
/// so is its key, so a firing that is dropped again after a crash is known.
final class ScheduleKeeper {
    /// Missed firings that are made up for one by one; a schedule of seconds that was away for a year has more.
    private static let mostMissed = 1000

    private let spool: Spool
    private let events: EventLog
    private let files: ConfigurationDirectory<Entry>
    private var lastFired: [String: Timestamp]
    private var next: [String: Timestamp] = [:]
    private var hasBegun = false
    /// Is told what was not made up for.
    var warn: (String) -> Void = { _ in }

    struct Entry: Equatable {
        var configuration: ScheduleConfiguration
        var recurrence: Recurrence
    }

    init(spool: Spool, events: EventLog) {
        self.spool = spool
        self.events = events
        files = ConfigurationDirectory(spool, "schedules") { json throws(TaskFault) in
            let configuration = try ScheduleConfiguration.read(json)
            return Entry(configuration: configuration, recurrence: try configuration.recurrence())
        }
        lastFired = Self.readLastFired(spool.daemon)
    }

    /// When a file that may be half-written is to be looked at again.
    var nextLook: TimeSpan? { files.nextLook }

    /// Reads the configuration again. A schedule that is new, or changed, begins now.
    func refresh(now: Timestamp = .now, _ report: (ConfigurationDirectory<Entry>.Change) -> Void) throws {
        var hasChanged = false
        try files.refresh { change in
            hasChanged = true
            report(change)
            guard change.fault == nil else { return }
            next[change.name] = nil
            // What the daemon finds at its start goes on from where it was.
            if hasBegun || change.value == nil { lastFired[change.name] = nil }
        }
        hasBegun = true
        for (name, entry) in files.values where next[name] == nil {
            let start = lastFired[name] ?? now
            if lastFired[name] == nil { lastFired[name] = now }
            next[name] = entry.recurrence.next(after: start.milliseconds).map(Timestamp.init(milliseconds:))
        }
        if hasChanged { try save() }
    }

    var nextDue: Timestamp? { next.values.min() }

    /// Drops what is due. Times that passed while nobody was looking go by the schedule's rule for missed ones.
    func work(now: Timestamp = .now) throws {
        for (name, due) in next.sorted(by: { $0.key < $1.key }) where due <= now {
            guard let entry = files.values[name] else { continue }
            let start = lastFired[name] ?? Timestamp(milliseconds: due.milliseconds - 1)
            for firing in chosen(name, entry, after: start, now) { try fire(name, entry.configuration, at: firing) }
            lastFired[name] = now
            next[name] = entry.recurrence.next(after: now.milliseconds).map(Timestamp.init(milliseconds:))
            try save()
        }
    }

    /// A firing is missed when it is older than a sweep: the daemon was off, or the machine slept.
    private func chosen(_ name: String, _ entry: Entry, after start: Timestamp, _ now: Timestamp) -> [Timestamp] {
        func last(after start: Timestamp) -> [Timestamp] {
            entry.recurrence.last(after: start.milliseconds, through: now.milliseconds).map { [Timestamp(milliseconds: $0)] } ?? []
        }
        switch entry.configuration.missed {
        case .once: return last(after: start)
        case .skip: return last(after: max(start, Timestamp(milliseconds: now.milliseconds - Defaults.sweep.milliseconds)))
        case .all:
            let firings = entry.recurrence.firings(after: start.milliseconds, through: now.milliseconds, limit: Self.mostMissed)
            if let last = firings.last, let next = entry.recurrence.next(after: last), next <= now.milliseconds {
                let from = Timestamp(milliseconds: next)
                warn("the schedule \(name) missed more than \(Self.mostMissed) times; those from \(from) to \(now) are left out")
                events.append("schedule_left_out", ["schedule": .string(name), "from": .string(from.description), "to": .string(now.description)])
            }
            return firings.map(Timestamp.init(milliseconds:))
        }
    }

    private func fire(_ name: String, _ schedule: ScheduleConfiguration, at time: Timestamp) throws {
        let stamp = String(time.description.prefix(19)).filter { $0 != "-" && $0 != ":" } + "Z"
        guard let id = JobID("\(name).\(stamp)"), var task = schedule.task.object else { return }
        let file = id.text + ".json"
        let inbox = try schedule.queue.map { queue throws(SystemFault) in try spool.inbox.directory(makingIfMissing: queue) } ?? spool.inbox
        guard !spool.isUsed(id), !inbox.contains(file) else { return }
        if task["run"] != nil, task["key"] == nil { task["key"] = .string("schedule:\(id)") }
        try inbox.replace(file, with: JSONWriter.write(.object(task)), synchronizing: true)
        events.append("schedule_fired", ["schedule": .string(name), "time": .string(time.description), "job": .string(id.text)])
    }

    private func save() throws {
        var object = JSONObject()
        for (name, time) in lastFired.sorted(by: { $0.key < $1.key }) { object[name] = .string(time.description) }
        try spool.daemon.replace(SpoolLayout.Daemon.schedules, with: JSONWriter.write(.object(object)), synchronizing: true)
    }

    private static func readLastFired(_ directory: Directory) -> [String: Timestamp] {
        let object = (try? directory.readJSON(SpoolLayout.Daemon.schedules))?.object ?? [:]
        var times: [String: Timestamp] = [:]
        for member in object.members { times[member.name] = member.value.string.flatMap { Timestamp($0) } }
        return times
    }
}
