import Glibc

/// One line of the design's table of speeds, or a few that are measured together.
protocol Benchmark {
    static var name: String { get }
    static var about: String { get }
    static func run(_ conditions: Conditions) throws -> [Row]
}

struct Conditions {
    let workspace: Workspace
    /// Fewer and smaller, to see whether it works; such figures say little.
    let isQuick: Bool

    func choose(_ full: Int, quick: Int) -> Int { isQuick ? quick : full }

    /// Tells how far it is, also where the output goes to a file.
    func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
