import Glibc
import SpoolFormat

/// Files that lie in the inbox when the daemon looks, until the last one is accepted; nothing is started meanwhile.
/// The yardstick is how the files came there: made, written and renamed by one thread, nothing synced.
enum TakingIn: Benchmark {
    static let name = "intake"
    static let about = "taking in"

    static func run(_ conditions: Conditions) throws -> [Row] {
        let count = conditions.choose(5000, quick: 1000)
        var ours = Samples()
        var theirs = Samples()
        for round in 0..<conditions.choose(5, quick: 1) {
            let (own, other) = try measure(count, "intake\(round)", in: conditions.workspace)
            ours.add(own)
            theirs.add(other)
            conditions.say("  round \(round + 1): \(Shown.rate(count, in: own)), create + write + rename \(Shown.rate(count, in: other))")
        }
        let ratio = Double(theirs.median) / Double(ours.median)
        return [
            Row(
                about, figure: Shown.rate(count, in: ours.median),
                yardstick: "create + write + rename \(Shown.rate(count, in: theirs.median))",
                ratio: Shown.ratio(ratio), target: "≥ 0.4", isReached: ratio >= 0.4)
        ]
    }

    private static func measure(_ count: Int, _ name: String, in workspace: Workspace) throws -> (Int64, Int64) {
        let daemon = try BenchmarkDaemon(name, in: workspace)
        try daemon.spool.directory(makingIfMissing: SpoolLayout.daemon).write([], to: SpoolLayout.Daemon.pause)
        try daemon.start()
        let inbox = try daemon.spool.directory(SpoolLayout.inbox)
        let staging = try workspace.make("\(name)-drops")
        let bytes = Drops.task(["/bin/true"])
        let accepted = try ArrivalWatch([(daemon.path(.queued), ArrivalWatch.renames)])
        daemon.freeze()
        let other = try Clock.time {
            for index in 0..<count {
                let name = "j\(index).json"
                try staging.write(bytes, to: name)
                try staging.rename(name, to: inbox, as: name)
            }
        }
        let own = try Clock.time {
            daemon.thaw()
            try accepted.wait(for: count, step: 1)
        }
        try daemon.stop()
        return (own, other)
    }
}
