/// Columns of text for people. The last column takes what the terminal's width leaves.
struct Table {
    struct Cell {
        let text: String
        let colour: Terminal.Colour?

        init(_ text: String, _ colour: Terminal.Colour? = nil) {
            self.text = Terminal.plain(text)
            self.colour = colour
        }
    }

    private let heads: [String]
    /// The widest that each column but the last becomes on a terminal.
    private let limits: [Int: Int]
    private var rows: [[Cell]] = []

    init(_ heads: [String], limits: [Int: Int] = [:]) {
        self.heads = heads
        self.limits = limits
    }

    mutating func add(_ row: [Cell]) { rows.append(row) }

    var text: String { text(width: Terminal.width) }

    func text(width: Int?) -> String {
        var widths = heads.map(Terminal.columns)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], Terminal.columns(cell.text)) }
        }
        if let width {
            for (index, limit) in limits { widths[index] = min(widths[index], max(limit, heads[index].count)) }
            let before = widths.dropLast().reduce(0) { $0 + $1 + 2 }
            widths[widths.count - 1] = max(10, width - before)
        }
        var text = line(heads.map { Cell($0, .bold) }, widths, cutting: width != nil)
        for row in rows { text += "\n" + line(row, widths, cutting: width != nil) }
        return text
    }

    private func line(_ row: [Cell], _ widths: [Int], cutting: Bool) -> String {
        var line = ""
        for (index, cell) in row.enumerated() {
            let text = cutting ? Terminal.fitted(cell.text, to: widths[index]) : cell.text
            line += Terminal.coloured(text, cell.colour)
            guard index < row.count - 1 else { break }
            line += String(repeating: " ", count: max(0, widths[index] - Terminal.columns(text)) + 2)
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
