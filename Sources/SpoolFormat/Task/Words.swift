/// The words for priorities; `default` is 0, as is `medium`.
enum Priority {
    static let numbers = ["low": -50, "medium": 0, "high": 50, "urgent": 100]
}

/// A number of bytes, as a number or as text with K, M, G or T (powers of 1024).
enum ByteCount {
    static func read(_ value: JSON) -> Int64? {
        if let number = value.int { return number > 0 ? Int64(number) : nil }
        guard let text = value.string, let unit = text.last else { return nil }
        let shifts: [Character: Int64] = ["K": 10, "M": 20, "G": 30, "T": 40]
        guard let shift = shifts[unit], let number = Int64(text.dropLast()), number > 0, number < 1 << 20 else { return nil }
        return number << shift
    }
}

/// The rule for queue names: they are names of directories and of configuration files.
public enum QueueName {
    public static let expected = "a queue's name: letters, digits, '.', '_', '-', at most 64, starting with a letter or digit"

    public static func check(_ text: String) -> String? {
        guard let id = JobID(text), id.text.utf8.count <= 64, !text.hasSuffix(".json") else { return nil }
        return text
    }
}

/// The rule for paths in tasks and configuration: absolute, without NUL, and short enough for the system.
enum AbsolutePath {
    static let longest = 4095

    static func check(_ text: String) -> String? {
        let bytes = text.utf8
        return bytes.first == UInt8(ascii: "/") && bytes.count <= longest && !bytes.contains(0) ? text : nil
    }
}
