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
        let isFull = Thorough.isAskedFor
        let stride = isFull ? 1 : Self.calls.first { $0.name == call }!.stride
        var number = isFull ? 1 : Int.random(in: 1...stride)
        while true {
            let scenario = KeptScenario()
            scenario.play(wrapper: Strace.killing(at: call, number))
            scenario.check("killed at \(call) \(number)")
            guard scenario.kills > 0, number < 3000 else { break }
            number += stride
        }
        if isFull { print("\(call): \(number - 1) points") }
    }
}
