import Glibc
import JobIndex
import SpoolFormat

/// `daemon/daemon.json` and `daemon/metrics.prom`: what the daemon says of itself.
final class StatusFiles {
    private let spool: Spool
    private let started = Timestamp.now
    private var sweeps = 0
    private var lastSweep: Timestamp?
    private(set) var finished: [Outcome: Int] = [:]
    private var accepted = 0

    init(_ spool: Spool) { self.spool = spool }

    func swept() {
        sweeps += 1
        lastSweep = .now
    }

    func countAccepted() { accepted += 1 }
    func countFinished(_ outcome: Outcome) { finished[outcome, default: 0] += 1 }

    /// - Parameter isRunning: `false` in the last words of a daemon that ends.
    func write(isRunning: Bool, isPaused: Bool, version: String, counts: [JobCount], sessions: [SessionState: Int], rejections: Int, runners: Int, fault: String?) throws(SystemFault) {
        var object: JSONObject = [
            "running": .bool(isRunning), "pid": .number(getpid()), "version": .string(version),
            "spool": .string(spool.path), "started_at": .string(started.description),
            "heartbeat_at": .string(Timestamp.now.description),
            "sweeps": .number(sweeps),
        ]
        for member in ProcessIdentity(pid: getpid())?.json.object?.members ?? [] { object[member.name] = member.value }
        object["last_sweep_at"] = .optional(lastSweep?.description)
        object["paused"] = .bool(isPaused)
        object["runners"] = .number(runners)
        object["fault"] = .optional(fault)
        var queues = JSONObject()
        for count in counts.sorted(by: { ($0.queue, $0.state.rawValue) < ($1.queue, $1.state.rawValue) }) where count.count > 0 {
            var queue = queues[count.queue]?.object ?? [:]
            queue[count.state.rawValue] = .number(count.count)
            queues[count.queue] = .object(queue)
        }
        object["queues"] = .object(queues)
        var states = JSONObject()
        for state in SessionState.allCases { states[state.rawValue] = sessions[state].map { .number($0) } }
        object["sessions"] = states.isEmpty ? nil : .object(states)
        try spool.daemon.replace(SpoolLayout.Daemon.status, with: JSONWriter.write(.object(object)), mode: 0o644)
        try spool.daemon.replace(
            SpoolLayout.Daemon.metrics, with: Array(metrics(isRunning: isRunning, isPaused: isPaused, version, counts, sessions, rejections, runners).utf8), mode: 0o644)
    }

    /// The Prometheus text format, for the textfile collector of a node exporter.
    private func metrics(isRunning: Bool, isPaused: Bool, _ version: String, _ counts: [JobCount], _ sessions: [SessionState: Int], _ rejections: Int, _ runners: Int) -> String {
        var text = ""
        func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Int64)]) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
            for sample in samples { text += "\(name)\(sample.labels) \(sample.value)\n" }
        }
        family("rouse_up", "gauge", "1 while the daemon runs.", [("{version=\"\(version)\"}", isRunning ? 1 : 0)])
        family("rouse_paused", "gauge", "1 while nothing is started.", [("", isPaused ? 1 : 0)])
        family("rouse_jobs", "gauge", "Jobs by queue and state.", counts.filter { $0.count > 0 }
            .sorted { ($0.queue, $0.state.rawValue) < ($1.queue, $1.state.rawValue) }
            .map { ("{queue=\"\($0.queue)\",state=\"\($0.state.rawValue)\"}", Int64($0.count)) })
        family("rouse_sessions", "gauge", "Sessions by state.",
            SessionState.allCases.compactMap { state in sessions[state].map { ("{state=\"\(state.rawValue)\"}", Int64($0)) } })
        family("rouse_accepted_total", "counter", "Tasks taken in since the daemon started.", [("", Int64(accepted))])
        family("rouse_rejected_total", "counter", "Files rejected since the daemon started.", [("", Int64(rejections))])
        family("rouse_finished_total", "counter", "Jobs finished since the daemon started, by outcome.",
            Outcome.allCases.compactMap { outcome in finished[outcome].map { ("{outcome=\"\(outcome.rawValue)\"}", Int64($0)) } })
        family("rouse_runners", "gauge", "Attempts that are guarded by a runner.", [("", Int64(runners))])
        family("rouse_sweeps_total", "counter", "Sweeps since the daemon started.", [("", Int64(sweeps))])
        family("rouse_started_seconds", "gauge", "When the daemon started, in seconds since 1970.", [("", started.milliseconds / 1000)])
        return text
    }
}
