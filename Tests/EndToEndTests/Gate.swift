import CLinux
import Glibc
import SpoolFormat
import TestSupport

/// Holds jobs until the test lets them go, one by one or all: each reads a line from a pipe.
final class Gate {
    let path: String
    private let descriptor: Int32

    init(_ spool: TestSpool, _ name: String = "gate") {
        path = "\(spool.path)/.\(name)"
        precondition(mkfifo(path, 0o600) == 0)
        // Open for both: lines stay in the pipe until a job comes to read them.
        descriptor = rouse_open(path, O_RDWR | O_CLOEXEC, 0)
        precondition(descriptor >= 0)
    }

    deinit { close(descriptor) }

    /// What a job runs to wait here.
    var wait: String { "read line < \(path)" }

    func open(_ count: Int = 1) { precondition(writeAll([UInt8](repeating: 0x0A, count: count), to: descriptor)) }
}

extension TestSpool {
    func pause() { write("", to: "\(path)/daemon/PAUSE") }
    func unpause() { unlink("\(path)/daemon/PAUSE") }

    /// Waits until the job is finished. - Returns: its outcome.
    func outcome(_ id: String, seconds: Int = 120) -> String? { finished(id, seconds: seconds)?["outcome"]?.string }

    /// Waits until that event is told of the job, or of the daemon.
    func tells(_ event: String, of id: String? = nil, times: Int = 1) -> Bool {
        wait(seconds: 30) { self.events(of: id).filter { $0["event"]?.string == event }.count >= times }
    }

    /// The ids of the jobs that were started, in order.
    var started: [String] { events().filter { $0["event"]?.string == "started" }.compactMap { $0["job"]?.string } }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Renames within the spool, as `mv spool/failed/x spool/inbox/` does.
    func move(_ source: String, to target: String) -> Bool { rename(path(source), path(target)) == 0 }
}
