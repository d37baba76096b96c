/// Measurements of one kind, in nanoseconds or in whatever else is said beside them.
struct Samples {
    private(set) var values: [Int64] = []

    init(_ values: [Int64] = []) { self.values = values }

    var count: Int { values.count }

    mutating func add(_ value: Int64) { values.append(value) }

    /// The smallest value that `percent` of all values do not exceed.
    func percentile(_ percent: Int) -> Int64 {
        let sorted = values.sorted()
        return sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
    }

    var median: Int64 { percentile(50) }
}

/// Numbers as the table shows them.
enum Shown {
    static func time(_ nanoseconds: Int64) -> String {
        switch nanoseconds {
        case 10_000_000_000...: number(Double(nanoseconds) / 1e9, 1) + " s"
        case 1_000_000_000...: number(Double(nanoseconds) / 1e9, 2) + " s"
        case 10_000_000...: number(Double(nanoseconds) / 1e6, 0) + " ms"
        case 100_000...: number(Double(nanoseconds) / 1e6, 2) + " ms"
        default: number(Double(nanoseconds) / 1e3, 1) + " µs"
        }
    }

    static func rate(_ count: Int, in nanoseconds: Int64) -> String {
        number(Double(count) * 1e9 / Double(max(nanoseconds, 1)), 0) + " per s"
    }

    static func ratio(_ value: Double) -> String { number(value, 2) }

    static func mebibytes(_ bytes: Int64) -> String { number(Double(bytes) / 1_048_576, 1) + " MiB" }

    private static func number(_ value: Double, _ places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let whole = Int((value * Double(scale)).rounded())
        guard places > 0 else { return "\(whole)" }
        let fraction = String(whole % scale)
        return "\(whole / scale)." + String(repeating: "0", count: places - fraction.utf8.count) + fraction
    }
}
