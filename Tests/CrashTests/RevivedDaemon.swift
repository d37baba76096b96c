import CLinux
import Glibc
import SpoolFormat
import Testing
import TestSupport

/// A daemon that is killed at some point, and started again without faults each time that it is gone.
final class RevivedDaemon {
    private let spool: TestSpool
    private(set) var kills = 0
    /// A step of the scenario never came; no other is waited for.
    private(set) var patienceIsOver = false
    /// All of them: the end of one ends everything that belongs to its spool.
    private var daemons: [TestDaemon] = []
    private var processDescriptor: Int32 = -1
    /// What there is to see after a failure.
    private let describe: () -> String

    init(_ spool: TestSpool, describe: @escaping () -> String) {
        self.spool = spool
        self.describe = describe
    }

    deinit { if processDescriptor >= 0 { close(processDescriptor) } }

    var daemon: TestDaemon { daemons.last! }

    /// - Parameter afterKill: the last one was killed in what the test itself had it do.
    func start(wrapper: [String] = [], afterKill: Bool = false) {
        if afterKill { kills += 1 }
        daemons.append(TestDaemon(spool, wrapper: wrapper))
        if processDescriptor >= 0 { close(processDescriptor) }
        processDescriptor = rouse_pidfd_open(daemon.pid)
    }

    /// Starts another daemon where the last one has died. Not for ever: a daemon that can't live is a failure too.
    func keepAlive() {
        guard !daemon.isRunning, kills < 20 else { return }
        start(afterKill: true)
    }

    /// Waits for a step of the scenario, with a daemon that lives.
    func wait(_ what: String, for condition: () -> Bool) {
        guard !patienceIsOver else { return }
        let end = Monotonic.now + 120_000
        repeat {
            keepAlive()
            if spool.wait(seconds: 1, or: processDescriptor, for: { condition() || !daemon.isRunning }), condition() { return }
        } while Monotonic.now < end
        patienceIsOver = true
        Issue.record("\(what) never came; \(describe())\n\(daemon.output)")
    }

    /// Ends it, and sees that nothing is left. The point may lie in its end.
    func end(_ label: String) {
        let code = daemon.stop()
        if code == 128 + Int(SIGKILL) { kills += 1 } else { #expect(code == 0, "\(label)") }
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty }, "\(label): \(Programs.processes(ofSpool: spool.path))")
    }
}
