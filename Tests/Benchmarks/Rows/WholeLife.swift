import Glibc
import SpoolFormat

/// Jobs that do nothing, from the first drop to the last rename into `done/`: dropped in a burst, then run with as
/// many slots as there are cores.
enum WholeLife: Benchmark {
    static let name = "jobs"
    static let about = "no-op jobs through the whole life"

    static func run(_ conditions: Conditions) throws -> [Row] {
        let workspace = conditions.workspace
        let count = conditions.choose(2000, quick: 300)
        let slots = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let arguments = (0..<count).map { "\($0)\n" }.joined()
        try workspace.directory.write(Array(arguments.utf8), to: "arguments")

        var ours = Samples()
        var theirs = Samples()
        for round in 0..<conditions.choose(3, quick: 1) {
            theirs.add(try Clock.time {
                try Child.run(["xargs", "-P\(slots)", "-n1", "/bin/true"], input: workspace.path + "/arguments")
            })
            ours.add(try measure(count, "jobs\(round)", in: workspace))
            conditions.say("  round \(round + 1): \(Shown.rate(count, in: ours.values[round])), xargs \(Shown.rate(count, in: theirs.values[round]))")
        }
        let ratio = Double(theirs.median) / Double(ours.median)
        return [
            Row(
                about, figure: Shown.rate(count, in: ours.median), yardstick: "xargs -P\(slots) \(Shown.rate(count, in: theirs.median))",
                ratio: Shown.ratio(ratio), target: "≥ 0.6", isReached: ratio >= 0.6)
        ]
    }

    private static func measure(_ count: Int, _ name: String, in workspace: Workspace) throws -> Int64 {
        let drops = try Drops(count, in: try workspace.make("\(name)-drops")) { _ in ["/bin/true"] }
        let daemon = try BenchmarkDaemon(name, in: workspace)
        try daemon.start()
        let inbox = try daemon.spool.directory(SpoolLayout.inbox)
        let done = try ArrivalWatch([(daemon.path(.done), ArrivalWatch.renames)])
        let time = try Clock.time {
            try drops.dropAll(into: inbox)
            try done.wait(for: count, step: 2)
        }
        try daemon.stop()
        return time
    }
}
