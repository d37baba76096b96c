import Glibc
import JobIndex
import SpoolFormat

/// Choosing the next job and writing down that it runs, among few and among many that are queued.
enum Choosing: Benchmark {
    static let name = "choose"
    static let about = "choosing the next job"

    private static let few = 1000
    private static let perRound = 200

    static func run(_ conditions: Conditions) throws -> [Row] {
        let many = conditions.choose(1_000_000, quick: 50_000)
        let directory = try conditions.workspace.make("choose")
        let small = try Choice(few, at: directory.path + "/small.sqlite")
        let large = try Choice(many, at: directory.path + "/large.sqlite")
        var (short, long) = (Samples(), Samples())
        for _ in 0..<conditions.choose(20, quick: 5) {
            short.add(try small.choose(perRound))
            long.add(try large.choose(perRound))
        }
        let ratio = Double(long.median) / Double(short.median)
        return [
            Row(
                "\(about), \(few) → \(many) queued", figure: Shown.time(long.median / Int64(perRound)),
                yardstick: "among \(few) \(Shown.time(short.median / Int64(perRound)))", ratio: Shown.ratio(ratio),
                target: "≤ 1.2", isReached: ratio <= 1.2)
        ]
    }

    private struct Choice {
        let store: SQLiteJobStore

        init(_ count: Int, at path: String) throws {
            store = try SQLiteJobStore(path: path)
            for number in 1...count {
                try store.put(JobRow(task: FinishedJobs.task(number), state: .queued, waiting: nil, run: nil, result: nil))
                if number % 10_000 == 0 { try store.commit() }
            }
            try store.commit()
        }

        /// Chooses `count` jobs, as many to a commit as a busy round has, and puts them back.
        func choose(_ count: Int) throws -> Int64 {
            var chosen: [JobRow] = []
            let time = try Clock.time {
                for number in 1...count {
                    guard var row = try store.nextQueued(in: Defaults.queue) else { throw BenchmarkFault("nothing is queued") }
                    row.state = .running
                    row.attempts = 1
                    row.startedAt = .now
                    try store.put(row)
                    chosen.append(row)
                    if number % 20 == 0 { try store.commit() }
                }
            }
            for var row in chosen {
                row.state = .queued
                row.startedAt = nil
                try store.put(row)
            }
            try store.commit()
            return time
        }
    }
}
