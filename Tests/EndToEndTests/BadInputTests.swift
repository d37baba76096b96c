import Glibc
import Foundation
import SpoolFormat
import Testing
import TestSupport

@Suite struct BadInputTests {
    @Test func theReasonGoesWhenTheFileIsMendedAndDroppedAgain() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("x", "[]")
        #expect(spool.rejection(of: "x")?["code"]?.string == "bad_value")
        // As it was, it is rejected anew under its own name.
        spool.write("{\"nur\": 1}", to: spool.path("rejected/x.json"))
        #expect(spool.move("rejected/x.json", to: "inbox/x.json"))
        #expect(spool.wait { spool.exists("rejected/x.json") && spool.json("rejected/x.error.json")?["code"]?.string != "bad_value" })
        #expect(spool.list("rejected") == ["x.error.json", "x.json"])
        spool.write(#"{"run": ["true"]}"#, to: spool.path("rejected/x.json"))
        #expect(spool.move("rejected/x.json", to: "inbox/x.json"))
        #expect(spool.outcome("x") == "succeeded")
        #expect(spool.list("rejected").isEmpty)
        // The reason of a file that is still there stays.
        spool.drop("y", "[]")
        #expect(spool.rejection(of: "y") != nil)
        spool.drop("y", #"{"run": ["true"]}"#)
        #expect(spool.outcome("y") == "succeeded")
        #expect(spool.list("rejected") == ["y.error.json", "y.json"])
        #expect(daemon.stop() == 0)
    }

    @Test func theHintFitsWhatWasDropped() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        mkfifo(spool.path("inbox/pipe.json"), 0o600)
        mkdir(spool.path("inbox/dir.json"), 0o700)
        spool.drop("mark", "\u{FEFF}{}")
        spool.drop("space", "{\u{A0}}")
        #expect(spool.rejection(of: "pipe")?["hint"]?.string == "drop a file that holds the task")
        #expect(spool.rejection(of: "dir")?["hint"]?.string?.contains("without .json") == true)
        #expect(spool.rejection(of: "mark")?["message"]?.string?.hasSuffix("not U+FEFF") == true)
        #expect(spool.rejection(of: "space")?["message"]?.string?.hasSuffix("not U+00A0") == true)
        #expect(daemon.stop() == 0)
    }

    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/bad")

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.fixtures.path()).filter { $0 != "expected.json" && $0.hasSuffix(".json") }.sorted()
    }

    /// Copies the corpus into the inbox, each file in one step.
    private func dropAll(_ names: [String], into spool: TestSpool, suffix: String = "") throws {
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: Self.fixtures.appending(path: name)))
            let staging = try Directory(spool.path(".staging"))
            try staging.write(bytes, to: ".bad")
            #expect(spool.move(".staging/.bad", to: "inbox/\(name.dropLast(5))\(suffix).json"))
        }
    }

    private func residentBytes(_ daemon: TestDaemon) throws -> Int {
        let text = String(decoding: try #require(try Directory("/proc/\(daemon.pid)").read("statm")).bytes, as: UTF8.self)
        return Int(text.split(separator: " ")[1])! * 4096
    }

    @Test func everyBadFileIsRejectedWithItsReasonAndTheGoodOneAfterThemRuns() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let names = try names()
        #expect(names.count >= 150)
        let expected = try #require(try? JSONReader.read([UInt8](Data(contentsOf: Self.fixtures.appending(path: "expected.json")))))
        try dropAll(names, into: spool)
        spool.drop("good", #"{"run": ["echo", "good"]}"#)
        #expect(spool.outcome("good") == "succeeded")
        #expect(spool.wait { spool.list("rejected").filter { $0.hasSuffix(".error.json") }.count == names.count })
        for name in names {
            let record = try #require(spool.json("rejected/\(name.dropLast(5)).error.json"), "\(name)")
            #expect(record["code"] == expected[name]?["code"], "\(name)")
            #expect(record["message"]?.string?.isEmpty == false, "\(name)")
            #expect(record["where"]?["file"]?.string == name)
            for member in ["line", "column", "field"] { #expect(record["where"]?[member] == expected[name]?[member], "\(name): \(member)") }
            // As it was dropped.
            let kept = try Directory(spool.path("rejected")).read(name)?.bytes
            #expect(kept == [UInt8](try Data(contentsOf: Self.fixtures.appending(path: name))), "\(name)")
        }
        #expect(spool.list("inbox").isEmpty)
        #expect(try Directory(spool.path(".staging")).entries().isEmpty)
        #expect(daemon.stop() == 0)
    }

    @Test func badFilesDoNotMakeTheDaemonGrow() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let names = try names()
        func round(_ number: Int) throws {
            try dropAll(names, into: spool, suffix: "-\(number)")
            #expect(spool.wait { spool.list("inbox").isEmpty && spool.list("rejected").count == 2 * names.count * number })
        }
        for number in 1...2 { try round(number) }
        let before = try residentBytes(daemon)
        for number in 3...6 { try round(number) }
        let after = try residentBytes(daemon)
        #expect(after - before < 4 << 20, "\(before) → \(after)")
        #expect(daemon.stop() == 0)
    }
}
