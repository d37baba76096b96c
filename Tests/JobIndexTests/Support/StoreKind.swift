import Foundation
import JobIndex
import Testing

/// The implementations that the conformance suite is about.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case memory, sqlite

    var testDescription: String { rawValue }

    func make(in place: Place) throws -> any JobStore {
        switch self {
        case .memory: MemoryJobStore()
        case .sqlite: try SQLiteJobStore(path: place.index)
        }
    }

    /// A new, empty store.
    func run(_ body: (any JobStore) throws -> Void) throws {
        let place = try Place()
        try body(try make(in: place))
    }
}

/// A directory of one test, removed with it.
final class Place {
    let path: String
    var index: String { path + "/index.sqlite" }

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("rouse-index-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}
