import Glibc
import SpoolFormat

/// How long a daemon takes to be ready when many finished jobs are on disk, with its index and without it, beside a
/// `find` that only reads the names. All three find everything in the cache.
enum Starting: Benchmark {
    static let name = "start"
    static let about = "start"

    static func run(_ conditions: Conditions) throws -> [Row] {
        let count = conditions.choose(100_000, quick: 5000)
        let daemon = try BenchmarkDaemon("start", in: conditions.workspace)
        conditions.say("  making \(count) finished jobs")
        try FinishedJobs.make(count, in: daemon.spool)
        func find() throws -> Int64 {
            try Clock.time { try Child.run(["sh", "-c", "find \"$1\" -type f | wc -l", "sh", daemon.spool.path]) }
        }
        func start(rebuilding: Bool) throws -> Int64 {
            if rebuilding { for suffix in ["", "-wal", "-shm"] { try daemon.spool.removeFile(SpoolLayout.index + suffix) } }
            let time = try daemon.start()
            try daemon.stop()
            return time
        }
        // Warms the cache, and makes the index.
        _ = try find()
        _ = try start(rebuilding: true)
        var (finding, starting, rebuilding) = (Samples(), Samples(), Samples())
        for round in 0..<conditions.choose(3, quick: 1) {
            finding.add(try find())
            starting.add(try start(rebuilding: false))
            rebuilding.add(try start(rebuilding: true))
            conditions.say("  round \(round + 1): find \(Shown.time(finding.values[round])), start \(Shown.time(starting.values[round])), rebuild \(Shown.time(rebuilding.values[round]))")
        }
        return [("start with \(count) jobs on disk", starting), ("the same, building the index anew", rebuilding)].map { what, samples in
            let ratio = Double(samples.median) / Double(finding.median)
            return Row(
                what, figure: Shown.time(samples.median), yardstick: "find \(Shown.time(finding.median))",
                ratio: Shown.ratio(ratio), target: "≤ 10", isReached: ratio <= 10)
        }
    }
}
