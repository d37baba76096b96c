import Glibc
import SpoolFormat

/// What is known of the terminal, if there is one.
enum Terminal {
    static let outputIsTerminal = isatty(1) == 1
    static let errorIsTerminal = isatty(2) == 1

    /// Colours go to terminals only, and not where somebody asked for none (no-color.org).
    static let usesColour = outputIsTerminal && environment("NO_COLOR").map(\.isEmpty) ?? true
        && environment("TERM") != "dumb"

    /// Columns of the terminal; `nil` where output goes elsewhere and must not be cut.
    static let width: Int? = {
        if let columns = environment("COLUMNS").flatMap({ Int($0) }), columns > 0, outputIsTerminal { return columns }
        var size = winsize()
        guard outputIsTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }()

    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    static func complain(_ text: String) { note("rouse: " + text) }

    /// Says something beside the output.
    static func note(_ text: String) { _ = writeAll(Array((plain(text, keepingLines: true) + "\n").utf8), to: 2) }

    /// Text from files without what would steer the terminal.
    static func plain(_ text: String, keepingLines: Bool = false) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) && !(keepingLines && $0 == "\n") }) else { return text }
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            plain.append(isControl(scalar) && !(keepingLines && scalar == "\n") ? (scalar == "\t" ? " " : "\u{FFFD}") : scalar)
        }
        return String(plain)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            || (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }

    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case faint = "2"
        case bold = "1"
    }

    static func coloured(_ text: String, _ colour: Colour?) -> String {
        guard usesColour, let colour else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }

    /// Columns that the text takes: two for the wide characters of East Asia and for emoji, none for marks.
    static func columns(_ text: String) -> Int {
        text.utf8.allSatisfy({ $0 < 0x80 }) ? text.utf8.count : text.reduce(0) { $0 + columns($1) }
    }

    static func columns(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return scalar.properties.generalCategory == .nonspacingMark ? 0 : 1
        }
    }

    /// `text` cut to `width` columns, with an ellipsis where something is left out.
    static func fitted(_ text: String, to width: Int) -> String {
        guard columns(text) > width else { return text }
        guard width > 1 else { return String(text.prefix(max(0, width))) }
        var kept = ""
        var used = 0
        for character in text {
            let next = columns(character)
            if used + next > width - 1 { break }
            used += next
            kept.append(character)
        }
        return kept + "…"
    }
}

/// Standard output, in few large writes.
enum Output {
    static func print(_ text: String) { write(Array((text + "\n").utf8)) }

    static func print(_ json: JSON) { write(JSONWriter.write(json)) }

    static func write(_ bytes: [UInt8]) {
        guard !writeAll(bytes, to: 1) else { return }
        let code = errno
        // Who read this has read enough.
        if code != EPIPE { Terminal.complain("cannot write the output: \(String(cString: strerror(code)))") }
        exit(ExitStatus.inputOutput.rawValue)
    }
}

/// How far long work has come, on one line of a terminal; elsewhere nothing.
struct Progress {
    private let label: String
    private var shown = ContinuousClock.now - .seconds(1)
    private var isShown = false

    init(_ label: String) { self.label = label }

    mutating func show(_ count: Int, of total: Int? = nil) {
        guard Terminal.errorIsTerminal, shown.duration(to: .now) > .milliseconds(100) else { return }
        shown = .now
        isShown = true
        let part = total.map { " of \($0)" } ?? ""
        _ = writeAll(Array("\r\u{1B}[K\(label): \(count)\(part)".utf8), to: 2)
    }

    mutating func end() {
        if isShown { _ = writeAll(Array("\r\u{1B}[K".utf8), to: 2) }
        isShown = false
    }
}
