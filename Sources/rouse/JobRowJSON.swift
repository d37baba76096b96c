import JobIndex
import SpoolFormat

/// Writes rows as a JSON array, a line each, straight into bytes: a hundred thousand of them are a moment's work.
struct JobRowWriter {
    private(set) var bytes: [UInt8] = []
    private var count = 0
    private var clock = TimestampWriter()

    init(expecting rows: Int) { bytes.reserveCapacity(rows * 360 + 8) }

    static func array(_ rows: [JobRow]) -> [UInt8] {
        var writer = JobRowWriter(expecting: rows.count)
        for row in rows { writer.add(row) }
        return writer.finish()
    }

    mutating func add(_ row: JobRow) {
        put(count == 0 ? "[\n  " : ",\n  ")
        count += 1
        put("{\"id\": \"")
        put(row.id.text)  // an id needs no escapes
        put("\", \"state\": \"")
        put(row.state.rawValue)
        put("\"")
        member("verb", row.verb)
        member("queue", row.queue)
        member("priority", row.priority)
        member("key", row.key)
        if !row.labels.isEmpty {
            put(", \"labels\": ")
            bytes.append(contentsOf: JSONWriter.write(JSON(row.labels), .line).dropLast())
        }
        member("parent", row.parent)
        member("attempts", row.attempts)
        member("queued_at", row.acceptedAt)
        member("started_at", row.startedAt)
        member("finished_at", row.finishedAt)
        member("duration_ms", row.durationMilliseconds)
        member("outcome", row.outcome?.rawValue)
        member("exit_code", row.exitCode)
        member("signal", row.signal)
        if let code = row.errorCode {
            put(", \"error\": {\"code\": ")
            quote(code)
            member("message", row.errorMessage)
            put("}")
        }
        member("reason", row.reason?.rawValue)
        member("until", row.until)
        member("summary", row.summary)
        put("}")
    }

    mutating func finish() -> [UInt8] {
        put(count == 0 ? "[]\n" : "\n]\n")
        return bytes
    }

    private mutating func member(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        self.name(name)
        quote(value)
    }

    private mutating func member(_ name: StaticString, _ value: (some BinaryInteger)?) {
        guard let value else { return }
        self.name(name)
        put(String(value))
    }

    private mutating func member(_ name: StaticString, _ value: Timestamp?) {
        guard let value else { return }
        self.name(name)
        bytes.append(UInt8(ascii: "\""))
        clock.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func name(_ name: StaticString) {
        put(", \"")
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        put("\": ")
    }

    private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func quote(_ text: String) {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 != 0x7F }) {
            bytes.append(UInt8(ascii: "\""))
            put(text)
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes.append(contentsOf: JSONWriter.write(.string(text), .line).dropLast())
        }
    }
}

/// `Timestamp.description`, many times over: instants of one list share few days.
struct TimestampWriter {
    private var day: Int64 = .min
    private var date: [UInt8] = []

    mutating func append(_ instant: Timestamp, to bytes: inout [UInt8]) {
        let rest = ((instant.milliseconds % 86_400_000) + 86_400_000) % 86_400_000
        let day = (instant.milliseconds - rest) / 86_400_000
        if day != self.day {
            self.day = day
            date = Array(instant.description.utf8.prefix { $0 != UInt8(ascii: "T") })
        }
        bytes.append(contentsOf: date)
        two("T", rest / 3_600_000, &bytes)
        two(":", rest / 60_000 % 60, &bytes)
        two(":", rest / 1000 % 60, &bytes)
        two(".", rest % 1000 / 10, &bytes)
        bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
        bytes.append(UInt8(ascii: "Z"))
    }

    private func two(_ before: Unicode.Scalar, _ value: Int64, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: before))
        bytes.append(UInt8(ascii: "0") + UInt8(value / 10))
        bytes.append(UInt8(ascii: "0") + UInt8(value % 10))
    }
}
