import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Calls that fail for a while: for want of room, of descriptors, or because a disk is bad.
@Suite(.enabled(if: Thorough.isAskedFor)) struct FailingCallTests {
    struct Fault: CustomTestStringConvertible {
        var call: String
        var error: String
        var ranges: [String]
        var testDescription: String { "\(call) \(error)" }
    }

    static let faults: [Fault] = [
        Fault(call: "openat", error: "EMFILE", ranges: ["250..258", "500..503"]),
        Fault(call: "write", error: "ENOSPC", ranges: ["3..10", "60..70"]),
        Fault(call: "write", error: "EIO", ranges: ["30..34"]),
        Fault(call: "pwrite64", error: "ENOSPC", ranges: ["40..60", "150..156"]),
        Fault(call: "renameat2", error: "EIO", ranges: ["3..10", "50..54", "90..92"]),
        Fault(call: "mkdirat", error: "ENOSPC", ranges: ["20..24", "34..36"]),
        Fault(call: "unlinkat", error: "EIO", ranges: ["3..6"]),
        Fault(call: "fdatasync", error: "EIO", ranges: ["1..2", "3..10"]),
    ]

    @Test(arguments: faults) func callsThatFailForAWhileLoseNothingAndRunNothingTwice(fault: Fault) {
        for range in fault.ranges {
            let scenario = Scenario()
            scenario.play(wrapper: Strace.failing(fault.call, with: fault.error, range))
            scenario.check("\(fault.call) \(fault.error) \(range)")
        }
    }
}
