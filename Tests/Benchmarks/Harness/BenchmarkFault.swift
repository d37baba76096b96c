import Glibc

/// Why something could not be measured.
struct BenchmarkFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// What failed just now, with the reason of the system.
    static func system(_ what: String) -> BenchmarkFault { BenchmarkFault("cannot \(what): \(String(cString: strerror(errno)))") }
}
