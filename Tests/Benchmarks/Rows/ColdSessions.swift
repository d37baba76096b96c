import Glibc
import SpoolFormat

/// What sessions cost that nobody speaks to: memory, and a look at everything.
enum ColdSessions: Benchmark {
    static let name = "sessions"
    static let about = "cold sessions"

    static func run(_ conditions: Conditions) throws -> [Row] {
        let count = conditions.choose(1000, quick: 100)
        let none = try measure("sessions-none", 0, conditions)
        let many = try measure("sessions-many", count, conditions)
        return [
            Row(
                "\(count) \(about) defined: resident", figure: Shown.mebibytes(many.bytes), yardstick: "without \(Shown.mebibytes(none.bytes))",
                ratio: Shown.ratio(Double(many.bytes) / Double(none.bytes))),
            Row(
                "\(count) \(about) defined: a sweep", figure: Shown.time(many.sweep), yardstick: "without \(Shown.time(none.sweep))",
                ratio: Shown.ratio(Double(many.sweep) / Double(none.sweep))),
        ]
    }

    private static func measure(_ name: String, _ count: Int, _ conditions: Conditions) throws -> (bytes: Int64, sweep: Int64) {
        let daemon = try BenchmarkDaemon(name, in: conditions.workspace)
        let config = try daemon.spool.directory(makingIfMissing: SpoolLayout.config)
        try config.directory(makingIfMissing: "agents").write(JSONWriter.write(["driver": "command", "command": ["/bin/cat"]]), to: "cat.json")
        let sessions = try config.directory(makingIfMissing: "sessions")
        for index in 0..<count { try sessions.write(JSONWriter.write(["agent": "cat"]), to: "s\(index).json") }
        try daemon.start()
        let status = try daemon.spool.directory(SpoolLayout.daemon)
        let written = try ArrivalWatch([(status.path, ArrivalWatch.renames)])
        // Whatever follows on the start is over, so that the next words are those of the sweep.
        Clock.sleep(milliseconds: 4000)
        let sweeps = try sweepCount(of: status)
        var longest: Int64 = 0
        for round in 1...5 {
            let asked = Clock.now
            kill(daemon.pid, SIGUSR1)
            repeat { try written.wait(for: written.count + 1) } while try sweepCount(of: status) < sweeps + round
            longest = max(longest, Clock.now - asked)
        }
        let bytes = try ProcessFigures(pid: daemon.pid).residentBytes()
        try daemon.stop()
        return (bytes, longest)
    }

    /// How many sweeps the daemon says it has made.
    private static func sweepCount(of status: Directory) throws -> Int {
        (try status.readJSON(SpoolLayout.Daemon.status))?["sweeps"]?.int ?? 0
    }
}
