/// Text on its way into a terminal, and out of it.
enum TerminalText {
    /// What is typed: without what a terminal would take for a command, such as the end of the paste itself.
    static func typed(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var isAfterReturn = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\r": result.append("\n")
            case "\n": if !isAfterReturn { result.append(scalar) }
            case "\t": result.append(scalar)
            default: if !isControl(scalar) { result.append(scalar) }
            }
            isAfterReturn = scalar == "\r"
        }
        // A line feed at the end would send the prompt before its time.
        while result.last == "\n" { result.removeLast() }
        return String(result)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) }

    /// What a program wrote to a terminal, without the sequences that steer it. Good for lines; what was painted over is
    /// still there.
    static func plain(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 0x1B: skipSequence(bytes, &index)
            case 0x0A, 0x09, 0x20..., 0x80...: if byte != 0x7F { result.append(byte) }
            default: break
            }
        }
        return tidy(String(decoding: result, as: UTF8.self))
    }

    private static func skipSequence(_ bytes: [UInt8], _ index: inout Int) {
        guard index < bytes.count else { return }
        let kind = bytes[index]
        index += 1
        switch kind {
        case UInt8(ascii: "["):
            // Parameters, then one final byte.
            while index < bytes.count, !(0x40...0x7E).contains(bytes[index]) { index += 1 }
            index += 1
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "^"), UInt8(ascii: "X"):
            // A string, to BEL or to ESC \.
            while index < bytes.count, bytes[index] != 0x07, bytes[index] != 0x1B { index += 1 }
            if index < bytes.count, bytes[index] == 0x1B { index += 1 }
            index += 1
        case 0x20...0x2F: index += 1
        default: break
        }
    }

    /// Without blanks at the ends of lines, and without empty lines at the end: `$` in a pattern is then the place after
    /// the last character.
    static func tidy(_ text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.utf8.last == 0x20 ? line[..<(line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex)] : line
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    /// The answer without the input line below it, which stands at its end when the agent is ready again: the last line
    /// that `isReady`, with its frame and with the hints below it, which are indented. Further up, it is the answer's own.
    static func withoutReadiness(_ text: String, _ isReady: (Substring) -> Bool) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let index = lines.lastIndex(where: isReady), lines[(index + 1)...].allSatisfy({ isFrame($0) || $0.hasPrefix("  ") }) else { return text }
        lines.removeSubrange(index...)
        while let last = lines.last, isFrame(last) { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private static func isFrame(_ line: Substring) -> Bool { line.unicodeScalars.allSatisfy { $0 == " " || (0x2500...0x257F).contains($0.value) } }

    /// What came after a prompt: `text` without the lines in which the terminal shows the prompt again.
    static func withoutEcho(_ text: String, of prompt: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let echo = tidy(prompt).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= echo.count, zip(lines, echo).allSatisfy({ $0.hasSuffix($1) }) else { return PromptEcho(prompt)?.removed(from: lines) ?? text }
        return lines.dropFirst(echo.count).joined(separator: "\n")
    }
}
