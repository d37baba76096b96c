import CLinux
import Glibc
import JobIndex
import SpoolFormat
import Synchronization

/// From the row of an accepted job to the moment from which it outlives a power cut, beside a sync of a small file.
enum Durability: Benchmark {
    static let name = "sync"
    static let about = "accepted → on disk"

    static func run(_ conditions: Conditions) throws -> [Row] {
        let directory = try conditions.workspace.make("sync")
        let path = directory.path + "/index.sqlite"
        let store = try SQLiteJobStore(path: path)
        let sync = IndexSync(path: path)
        let file = rouse_open(directory.path + "/plain", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BenchmarkFault.system("make a file in \(directory.path)") }
        defer { close(file) }
        let block = [UInt8](repeating: 0x20, count: 4096)

        var (ours, theirs) = (Samples(), Samples())
        for number in 1...conditions.choose(300, quick: 30) {
            ours.add(try Clock.time {
                try store.put(JobRow(task: FinishedJobs.task(number), state: .queued, waiting: nil, run: nil, result: nil))
                try store.commit()
                try wait(for: sync)
            })
            theirs.add(try Clock.time {
                guard writeAll(block, to: file), fdatasync(file) == 0 else { throw BenchmarkFault.system("sync a file") }
            })
        }
        sync.stop()
        return [
            Row(
                "\(about), p50", figure: Shown.time(ours.median), yardstick: "append 4 KiB + fdatasync \(Shown.time(theirs.median))",
                ratio: Shown.ratio(Double(ours.median) / Double(theirs.median)))
        ]
    }

    private static func wait(for sync: IndexSync) throws {
        var ends: [Int32] = [-1, -1]
        guard rouse_pipe(&ends) == 0 else { throw BenchmarkFault.system("make a pipe") }
        defer { for end in ends { close(end) } }
        let told = ends[1]
        let ending = Ending()
        sync.request { result in
            if case .failure(let error) = result { ending.fault.withLock { $0 = error } }
            _ = write(told, "x", 1)
        }
        var byte: UInt8 = 0
        _ = read(ends[0], &byte, 1)
        if let error = ending.fault.withLock({ $0 }) { throw error }
    }

    private final class Ending: Sendable {
        let fault = Mutex<SystemFault?>(nil)
    }
}
