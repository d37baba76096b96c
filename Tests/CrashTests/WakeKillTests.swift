import Glibc
import SpoolFormat
import Testing
import TestSupport

/// The daemon is killed before its first, second, third … call of a kind, at every step of wakes and turns: recording,
/// joining, staging, commit, prompt, start and result.
@Suite struct WakeKillTests {
    /// The calls, and every how many of them the daemon is killed where there is little time.
    static let calls: [(name: String, stride: Int)] = [
        ("renameat2", 12), ("mkdirat", 5), ("unlinkat", 6), ("write", 25), ("openat", 80), ("sendto", 3), ("fdatasync", 4), ("fsync", 3),
    ]

    @Test(arguments: calls.map(\.name)) func aDaemonThatIsKilledAtACallLosesNoWakeAndSaysNothingTwice(call: String) {
        KillPoints.walk(call, every: Self.calls.first { $0.name == call }!.stride, atMost: 3000) { number in
            let scenario = WakeScenario()
            scenario.play(wrapper: Strace.killing(at: call, number))
            scenario.check("killed at \(call) \(number)")
            return scenario.kills
        }
    }
}
