import Foundation
import Testing

@testable import SpoolFormat

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

enum Fixtures {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    /// Name and content of every file of a folder.
    static func files(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
        let directory = root.appending(path: folder)
        return try FileManager.default.contentsOfDirectory(atPath: directory.path()).sorted()
            .filter { $0.hasSuffix(".json") && $0 != "expected.json" }
            .map { ($0, [UInt8](try Data(contentsOf: directory.appending(path: $0)))) }
    }
}

/// The processor time that `body` takes: what else the machine does makes nothing slow.
func threadTime(_ body: () -> Void) -> Duration {
    func now() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    let start = now()
    body()
    return now() - start
}

extension Fixtures {
    static func expectations() throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: "bad/expected.json")))
    }
}

/// Reads a dropped file as the intake does; `nil` is acceptance.
func rejection(of bytes: [UInt8]) -> RejectionRecord? {
    do {
        _ = try TaskReader.read(try JSONReader.read(bytes))
        return nil
    } catch let fault as JSONFault {
        return RejectionRecord(fault, file: "x.json")
    } catch let fault as TaskFault {
        return RejectionRecord(fault, file: "x.json", text: bytes)
    } catch {
        preconditionFailure("\(error)")
    }
}

func rejection(of text: String) -> RejectionRecord? { rejection(of: Array(text.utf8)) }

func fault(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> TaskFault? {
    do {
        let value = try #require(try? JSONReader.read(text), "not even JSON: \(text)", sourceLocation: sourceLocation)
        _ = try TaskReader.read(value)
        return nil
    } catch {
        return error as? TaskFault
    }
}

func task(_ text: String) throws -> TaskFile { try TaskReader.read(try JSONReader.read(text)) }
