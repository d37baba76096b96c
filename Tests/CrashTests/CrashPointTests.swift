import Glibc
import Testing
import TestSupport

/// The daemon is killed before its first, second, third … call of a kind, at every point where what it does reaches
/// the disk or a runner, until a scenario of all kinds of tasks comes through unharmed.
@Suite struct CrashPointTests {
    /// The calls, and every how many of them the daemon is killed where there is little time.
    static let calls: [(name: String, stride: Int)] = [
        ("renameat2", 12), ("mkdirat", 6), ("unlinkat", 5), ("write", 25), ("pwrite64", 25), ("openat", 60), ("sendto", 4), ("fdatasync", 4),
    ]

    @Test(arguments: calls.map(\.name)) func aDaemonThatIsKilledAtACallLosesNothingAndRunsNothingTwice(call: String) {
        KillPoints.walk(call, every: Self.calls.first { $0.name == call }!.stride, atMost: 2000) { number in
            let scenario = Scenario()
            scenario.play(wrapper: Strace.killing(at: call, number))
            scenario.check("killed at \(call) \(number)")
            return scenario.kills
        }
    }
}
