import CLinux
import Glibc
import Processes

/// What is left of an attempt whose runner was killed. Its processes are known by their environment, which they have
/// from their runner: no name and no remembered number is trusted.
public enum Orphans {
    /// Ends every process that was started with this job's directory and attempt in its environment, and all below
    /// them, except through the calling process. Runners and the jobs of other runners bear no such marks, even where
    /// this daemon was itself started by that job.
    ///
    /// It takes some milliseconds and does not wait for the processes to be gone.
    /// - Returns: how many were ended.
    public static func endAll(ofJobDirectory directory: String, attempt: Int) -> Int {
        let marks = ["\(JobVariables.directory)=\(directory)", "\(JobVariables.attempt)=\(attempt)"].map { Array($0.utf8) }
        var ended: Set<ProcessStatus> = []
        // What was forked between the last look and the end of its parent is met in another round.
        for _ in 0..<10 {
            let found = ProcessTree.freeze { processes(with: marks) }
            let fresh = found.filter { ended.insert($0).inserted }
            for process in found { process.send(Signal.kill) }
            if fresh.isEmpty { break }
        }
        return ended.count
    }

    private static func processes(with marks: [[UInt8]]) -> [ProcessStatus] {
        let own = getpid()
        var found: [ProcessStatus] = []
        var seen: Set<Int32> = [own]
        for pid in ProcFile.numbers(in: "/proc") where !seen.contains(pid) && environment(of: pid, holds: marks) {
            // Looked at before the environment was read again: both are then of one process, the one whose start time
            // this is, or the sending finds another start time and sends nothing.
            guard let status = ProcessStatus(pid: pid), !status.isGone, environment(of: pid, holds: marks) else { continue }
            for process in [status] + ProcessTree.descendants(of: pid, excluding: own) where seen.insert(process.pid).inserted {
                found.append(process)
            }
        }
        return found
    }

    private static func environment(of pid: Int32, holds marks: [[UInt8]]) -> Bool {
        guard let environment = ProcFile.read("/proc/\(pid)/environ"), !environment.isEmpty else { return false }
        let variables = environment.split(separator: 0)
        return marks.allSatisfy { mark in variables.contains { $0.elementsEqual(mark) } }
    }
}
