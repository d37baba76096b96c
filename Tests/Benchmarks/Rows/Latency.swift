import Glibc
import SpoolFormat

/// From just before the rename into the inbox to the program's first instruction, on a system that does nothing else.
/// The drops go by turns to the daemon and to the yardstick, and both start the same program.
enum Latency: Benchmark {
    static let name = "latency"
    static let about = "drop → the program's first instruction, idle"

    /// What one drop may leave to do before the next.
    private static let rest = 20

    static func run(_ conditions: Conditions) throws -> [Row] {
        let workspace = conditions.workspace
        let count = conditions.choose(400, quick: 60)
        guard let library = try WatchdogObserver.library(in: workspace) else {
            return [.skipped(about, because: "Python's watchdog can't be had")]
        }
        let stamps = try workspace.make("stamps")
        let plainStamps = try workspace.make("plain-stamps")
        let plainInbox = try workspace.make("plain-inbox")
        let drops = try Drops(count, in: try workspace.make("stamp-drops")) { [workspace.stamp, "\(stamps.path)/j\($0)"] }
        let plainDrops = try Drops(count, in: try workspace.make("plain-drops")) { [workspace.stamp, "\(plainStamps.path)/j\($0)"] }

        let daemon = try BenchmarkDaemon("latency", in: workspace)
        try daemon.start()
        let observer = try WatchdogObserver(in: workspace, library: library, inbox: plainInbox.path, stamps: plainStamps.path)
        let inbox = try daemon.spool.directory(SpoolLayout.inbox)
        let ended = try ArrivalWatch([(daemon.path(.done), ArrivalWatch.renames), (plainStamps.path, ArrivalWatch.writes)])

        var ours = Samples()
        var theirs = Samples()
        for index in 0..<count {
            Clock.sleep(milliseconds: rest)
            let dropped = Clock.now
            try drops.drop(index, into: inbox)
            try ended.wait(for: 2 * index + 1)
            ours.add(try stamp(index, in: stamps) - dropped)

            Clock.sleep(milliseconds: rest)
            let plainlyDropped = Clock.now
            try plainDrops.drop(index, into: plainInbox)
            try ended.wait(for: 2 * index + 2)
            theirs.add(try stamp(index, in: plainStamps) - plainlyDropped)
        }
        observer.stop()
        try daemon.stop()

        return [50, 99].map { percent in
            let (own, other) = (ours.percentile(percent), theirs.percentile(percent))
            return Row(
                "\(about), p\(percent)", figure: Shown.time(own), yardstick: "watchdog in Python \(Shown.time(other))",
                ratio: Shown.ratio(Double(own) / Double(other)), target: "≤ 1", isReached: own <= other)
        }
    }

    private static func stamp(_ index: Int, in directory: Directory) throws -> Int64 {
        guard let content = try directory.read("j\(index)"),
            let time = Int64(String(decoding: content.bytes.dropLast(), as: UTF8.self))
        else { throw BenchmarkFault("j\(index) has no stamp") }
        return time
    }
}
