/// The living descendants of a process, whatever session or group they are in.
///
/// A list of processes that run is true only for the moment: one that forks while it is read may be missed. Who has
/// to reach all of them stops what was found, and looks again until nothing new turns up: what is stopped can't fork.
package enum ProcessTree {
    /// All below `root`, which is not among them; parents come before their children. What is below `excluded` is
    /// left out with it.
    package static func descendants(of root: Int32, excluding excluded: Int32? = nil) -> [ProcessStatus] {
        var found: [ProcessStatus] = []
        var members: Set<Int32> = [root]
        var next = 0
        var parent = root
        while true {
            for child in children(of: parent) where child != excluded && !members.contains(child) {
                // The number may be another's by now; one whose parent is of this tree is of this tree too.
                guard let status = ProcessStatus(pid: child), !status.isGone, members.contains(status.parent) else { continue }
                members.insert(child)
                found.append(status)
            }
            guard next < found.count else { return found }
            parent = found[next].pid
            next += 1
        }
    }

    /// Stops every process that `find` comes upon, looking again until it comes upon nothing new.
    /// - Returns: all of them.
    package static func freeze(_ find: () -> [ProcessStatus]) -> [ProcessStatus] {
        var frozen: Set<ProcessStatus> = []
        var isNew = true
        var looks = 0
        // What starts processes faster than they are stopped is met again in the next round of the caller.
        while isNew && looks < 50 {
            isNew = false
            looks += 1
            for process in find() where frozen.insert(process).inserted {
                isNew = true
                process.send(Signal.stop)
            }
        }
        return Array(frozen)
    }

    /// Every thread has children of its own.
    private static func children(of pid: Int32) -> [Int32] {
        ProcFile.numbers(in: "/proc/\(pid)/task").flatMap { thread in
            (ProcFile.read("/proc/\(pid)/task/\(thread)/children") ?? []).split(separator: 0x20).compactMap {
                Int32(String(decoding: $0, as: UTF8.self))
            }
        }
    }
}
