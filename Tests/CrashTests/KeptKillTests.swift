import Testing
import TestSupport

/// The daemon is killed before its first, second, third … call of a kind, while a session whose agent stays is prompted,
/// answered, interrupted, restarted and stopped: each of it acts once.
@Suite struct KeptKillTests {
    /// The calls, and every how many of them the daemon is killed where there is little time.
    static let calls: [(name: String, stride: Int)] = [
        ("renameat2", 20), ("unlinkat", 20), ("write", 40), ("openat", 150), ("sendto", 6), ("fdatasync", 6), ("pidfd_send_signal", 2),
    ]

    @Test(arguments: calls.map(\.name)) func aDaemonThatIsKilledAtACallSaysEverythingOnceToAnAgentThatStays(call: String) {
        KillPoints.walk(call, every: Self.calls.first { $0.name == call }!.stride, atMost: 3000) { number in
            let scenario = KeptScenario()
            scenario.play(wrapper: Strace.killing(at: call, number))
            scenario.check("killed at \(call) \(number)")
            return scenario.kills
        }
    }
}
