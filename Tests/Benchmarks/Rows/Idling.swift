import Glibc
import SpoolFormat

/// What a daemon takes that has nothing to do: memory, after it has had some jobs, and wake-ups.
enum Idling: Benchmark {
    static let name = "idle"
    static let about = "idle daemon"

    /// What follows on a start or on jobs comes within some seconds: the status files, and the end of threads that
    /// have nothing to do any more.
    private static let settling = 12_000
    private static let mostBytes: Int64 = 30 << 20

    static func run(_ conditions: Conditions) throws -> [Row] {
        let workspace = conditions.workspace
        let count = conditions.choose(500, quick: 50)
        let seconds = conditions.choose(20, quick: 5)
        let daemon = try BenchmarkDaemon("idle", in: workspace)
        try daemon.start()
        Clock.sleep(milliseconds: settling)
        let process = ProcessFigures(pid: daemon.pid)
        let fresh = try process.residentBytes()
        let freshWakeUps = try wakeUps(of: process, seconds: seconds)

        let drops = try Drops(count, in: try workspace.make("idle-drops")) { _ in ["/bin/true"] }
        let done = try ArrivalWatch([(daemon.path(.done), ArrivalWatch.renames)])
        try drops.dropAll(into: try daemon.spool.directory(SpoolLayout.inbox))
        try done.wait(for: count, step: 5)
        Clock.sleep(milliseconds: settling)
        let used = try process.residentBytes()
        let runners = try process.children()
        let usedWakeUps = try wakeUps(of: process, seconds: seconds)
        conditions.say("  \(runners.count) runners wait, of \(Shown.mebibytes(try runners.map { try $0.residentBytes() }.max() ?? 0)) each")
        try daemon.stop()

        func memory(_ what: String, _ bytes: Int64) -> Row {
            Row("\(about): resident, \(what)", figure: Shown.mebibytes(bytes), target: "≤ 30 MiB", isReached: bytes <= mostBytes)
        }
        func waking(_ what: String, _ count: Int64) -> Row {
            Row("\(about): wake-ups in \(seconds) s, \(what)", figure: "\(count)", target: "0", isReached: count == 0)
        }
        return [
            memory("fresh", fresh), memory("after \(count) jobs", used),
            waking("fresh", freshWakeUps), waking("after \(count) jobs", usedWakeUps),
        ]
    }

    /// Of all its threads, and of the runners that wait. A thread that ends was woken for that.
    private static func wakeUps(of process: ProcessFigures, seconds: Int) throws -> Int64 {
        let processes = try [process] + process.children()
        func sleeps() throws -> [pid_t: Int64] {
            try processes.map { try $0.sleeps() }.reduce(into: [:]) { $0.merge($1) { one, _ in one } }
        }
        let before = try sleeps()
        Clock.sleep(milliseconds: seconds * 1000)
        let after = try sleeps()
        let ended = before.keys.filter { after[$0] == nil }.count
        return after.reduce(Int64(ended)) { $0 + $1.value - (before[$1.key] ?? 0) }
    }
}
