import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Calls that fail for a while: for want of room, of descriptors, or because a disk is bad.
@Suite struct FailingCallTests {
    struct Fault: CustomTestStringConvertible {
        var call: String
        var error: String
        /// As strace's `when` takes them.
        var ranges: [String]
        /// Only calls on this file, within the spool. Not every `write` is to a file, and those to others don't fail.
        var file: String?
        var testDescription: String { "\(call) \(error)" + (file.map { " \($0)" } ?? "") }
    }

    static let faults: [Fault] = [
        Fault(call: "openat", error: "EMFILE", ranges: ["250..258", "500..503"]),
        Fault(call: "write", error: "ENOSPC", ranges: ["1..2"], file: "queued/plain/run.json"),
        Fault(call: "write", error: "ENOSPC", ranges: ["1..2"], file: ".staging/batch/task.json"),
        Fault(call: "write", error: "EIO", ranges: ["2..4"], file: "events/\(Timestamp.now.description.prefix(10)).jsonl"),
        Fault(call: "pwrite64", error: "ENOSPC", ranges: ["40..42", "150..153"]),
        Fault(call: "renameat2", error: "EIO", ranges: ["3..10", "50..54", "90..92"]),
        Fault(call: "mkdirat", error: "ENOSPC", ranges: ["20..24", "34..36"]),
        Fault(call: "unlinkat", error: "EIO", ranges: ["3..6"]),
        Fault(call: "fdatasync", error: "EIO", ranges: ["1..2", "3..10"]),
    ]

    @Test(arguments: faults) func callsThatFailForAWhileLoseNothingAndRunNothingTwice(fault: Fault) {
        // Everywhere, where there is time.
        let isFull = Thorough.isAskedFor && fault.file == nil
        let ranges = isFull ? stride(from: fault.call == "openat" ? 200 : 2, to: 400, by: 9).map { "\($0)..\($0 + 2)" } : fault.ranges
        for range in ranges {
            let scenario = Scenario()
            let path = fault.file.map { scenario.spool.path + "/" + $0 }
            scenario.play(wrapper: Strace.failing(fault.call, with: fault.error, range, on: path))
            scenario.check("\(fault) \(range)")
        }
    }
}
