/// The words for priorities; `default` is 0, as is `medium`.
enum Priority {
    static let numbers: KeyValuePairs = ["low": -50, "medium": 0, "high": 50, "urgent": 100]
}

/// The bounds of numbers and texts, for the reader and for the schema.
enum Bounds {
    static let priority = -100...100
    static let retries = 0...1000
    static let backoffFactor = 1.0...100.0
    static let backoffJitter = 0.0...1.0
    static let cpuSeconds = 1...1_000_000_000
    static let openFiles = 8...10_000_000
    static let processes = 1...10_000_000
    static let leastLog = 4096
    static let key = 512
    static let dependencies = 1000
    static let labels = 64
    static let environment = 1000
    static let mapName = 256
    static let mapValue = 4096
    static let tasks = 1000
    /// Arguments and environment go to `execve`, which takes 128 KiB in one string (MAX_ARG_STRLEN).
    static let argument = 131_071
    static let shortestTimeout = TimeSpan(milliseconds: 1)
}

/// A number of bytes, as a number or as up to six digits with K, M, G or T (powers of 1024).
enum ByteCount {
    static let shifts: KeyValuePairs<Unicode.Scalar, Int64> = ["K": 10, "M": 20, "G": 30, "T": 40]

    static func read(_ value: JSON) -> Int64? {
        if let number = value.int { return number > 0 ? Int64(number) : nil }
        guard let text = value.string, let unit = text.unicodeScalars.last,
            let shift = shifts.first(where: { $0.key == unit })?.value
        else { return nil }
        let digits = text.utf8.dropLast()
        guard (1...6).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != 0x30,
            let number = Int64(Substring(digits))
        else { return nil }
        return number << shift
    }
}

/// The rule for queue names: they are names of directories and of configuration files.
public enum QueueName {
    public static let expected = "a queue's name: letters, digits, '.', '_', '-', at most 64, starting with a letter or digit"

    static let longest = 64

    public static func check(_ text: String) -> String? {
        guard let id = JobID(text), id.text.utf8.count <= longest, !text.hasSuffix(".json") else { return nil }
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
