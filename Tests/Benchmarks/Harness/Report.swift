/// One line of the table.
struct Row {
    let what: String
    let figure: String
    let yardstick: String
    let ratio: String
    let target: String
    /// `nil` where nothing was promised.
    let isReached: Bool?

    init(_ what: String, figure: String, yardstick: String = "–", ratio: String = "–", target: String = "–", isReached: Bool? = nil) {
        self.what = what
        self.figure = figure
        self.yardstick = yardstick
        self.ratio = ratio
        self.target = target
        self.isReached = isReached
    }

    /// A row that could not be measured.
    static func skipped(_ what: String, because reason: String) -> Row { Row(what, figure: "skipped: \(reason)") }

    var isSkipped: Bool { figure.hasPrefix("skipped") }

    private var verdict: String { isReached.map { $0 ? "ok" : "missed" } ?? "–" }

    var cells: [String] { [what, figure, yardstick, ratio, target, verdict] }
}

/// The table, in Markdown.
enum Report {
    private static let head = ["what", "figure", "yardstick", "ratio", "target", ""]

    static func write(_ rows: [Row]) {
        let lines = [head] + rows.map(\.cells)
        let widths = head.indices.map { column in lines.map { $0[column].count }.max()! }
        func line(_ cells: [String], _ filler: Character) -> String {
            "|" + zip(cells, widths).map { " " + $0 + String(repeating: filler, count: $1 - $0.count) + " |" }.joined()
        }
        print()
        print(line(head, " "))
        print(line(widths.map { String(repeating: "-", count: $0) }, " "))
        for row in rows { print(line(row.cells, " ")) }
    }
}
