import Glibc
import SpoolFormat

/// From just before a wake's rename into the inbox to the agent that reads its prompt. The agent waits, started, as it does
/// between turns; the way goes through a turn's process, which a job's does not.
enum Waking: Benchmark {
    static let name = "wake"
    static let about = "wake → prompt at the agent, idle session"

    private static let rest = 20

    static func run(_ conditions: Conditions) throws -> [Row] {
        let workspace = conditions.workspace
        let count = conditions.choose(200, quick: 30)
        let stamps = try workspace.make("wake-stamps")
        let wakes = try workspace.make("wakes")
        for index in 0..<count { try wakes.write(JSONWriter.write(["wake": "coordinator", "reason": "the benchmark"]), to: "w\(index).json") }
        let drops = try Drops(count, in: try workspace.make("wake-drops")) { [workspace.stamp, "\(stamps.path)/j\($0)"] }

        let daemon = try BenchmarkDaemon("wake", in: workspace)
        let config = try daemon.spool.directory(makingIfMissing: SpoolLayout.config)
        try config.directory(makingIfMissing: "agents").write(
            JSONWriter.write(["driver": "acp", "command": [.string(workspace.stamp), "--agent", .string(stamps.path)]]), to: "stamp.json")
        try config.directory(makingIfMissing: "sessions").write(JSONWriter.write(["agent": "stamp"]), to: "coordinator.json")
        try daemon.start()
        let inbox = try daemon.spool.directory(SpoolLayout.inbox)
        let ended = try ArrivalWatch([(daemon.path(.done), ArrivalWatch.renames)])

        var ours = Samples()
        var jobs = Samples()
        // The first wake starts the agent, and is not counted.
        for index in 0..<count {
            Clock.sleep(milliseconds: rest)
            let woken = Clock.now
            try wakes.rename("w\(index).json", to: inbox, as: "w\(index).json")
            try ended.wait(for: 2 * index + 1)
            if index > 0 { ours.add(try time(of: "w\(index)", in: stamps) - woken) }

            Clock.sleep(milliseconds: rest)
            let dropped = Clock.now
            try drops.drop(index, into: inbox)
            try ended.wait(for: 2 * index + 2)
            if index > 0 { jobs.add(try time(of: "j\(index)", in: stamps) - dropped) }
        }
        // The agent stays between turns, and would stay after the daemon.
        try wakes.write(JSONWriter.write(["stop": "coordinator"]), to: "stop.json")
        try wakes.rename("stop.json", to: inbox, as: "stop.json")
        try ended.wait(for: 2 * count + 1)
        try daemon.stop()
        return [50, 99].map { percent in
            let (own, other) = (ours.percentile(percent), jobs.percentile(percent))
            return Row(
                "\(about), p\(percent)", figure: Shown.time(own), yardstick: "drop → first instruction \(Shown.time(other))",
                ratio: Shown.ratio(Double(own) / Double(other)))
        }
    }

    private static func time(of name: String, in stamps: Directory) throws -> Int64 {
        guard let content = try stamps.read(name), let time = Int64(String(decoding: content.bytes.dropLast(), as: UTF8.self)) else {
            throw BenchmarkFault("\(name) has no stamp")
        }
        return time
    }
}
