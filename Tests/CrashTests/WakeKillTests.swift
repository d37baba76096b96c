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
        let isFull = Thorough.isAskedFor
        let stride = isFull ? 1 : Self.calls.first { $0.name == call }!.stride
        var number = isFull ? 1 : Int.random(in: 1...stride)
        while true {
            let scenario = WakeScenario()
            scenario.play(wrapper: Strace.killing(at: call, number))
            scenario.check("killed at \(call) \(number)")
            guard scenario.kills > 0, number < 3000 else { break }
            number += stride
        }
        if isFull { print("\(call): \(number - 1) points") }
    }
}
