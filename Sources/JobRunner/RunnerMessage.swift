public import SpoolFormat

/// What the daemon and a runner say to each other: one message a packet, a first line of words, then the payload.
public enum RunnerMessage: Sendable, Equatable {
    /// To the runner: the attempt that this `run.json` describes is likely to be next. It changes nothing; what can be
    /// made ready without a trace is then ready.
    case prepare(JobID, attempt: Int, [UInt8])
    /// To the runner: run the attempt that `running/<id>/run.json` describes.
    case run(JobID, attempt: Int)
    /// To the runner: end the attempt. One that names another attempt than the running one comes too late and says
    /// nothing.
    case cancel(JobID, attempt: Int)
    /// From the runner: the attempt is over, nothing of it is left, and its `exit.json` is written.
    case exit(JobID, attempt: Int, ExitRecord)
    /// From the runner: the attempt was not begun, and nothing was written.
    case refused(JobID, attempt: Int, reason: String)

    public var bytes: [UInt8] {
        switch self {
        case .prepare(let id, let attempt, let record): Array("prepare \(id) \(attempt)\n".utf8) + record
        case .run(let id, let attempt): Array("run \(id) \(attempt)\n".utf8)
        case .cancel(let id, let attempt): Array("cancel \(id) \(attempt)\n".utf8)
        case .exit(let id, let attempt, let record): Array("exit \(id) \(attempt)\n".utf8) + JSONWriter.write(record.json)
        case .refused(let id, let attempt, let reason): Array("refused \(id) \(attempt)\n\(reason)".utf8)
        }
    }

    /// `nil` where the bytes are no message; the other side is then of another version, and is not understood.
    public init?(_ bytes: [UInt8]) {
        let end = bytes.firstIndex(of: 0x0A) ?? bytes.endIndex
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
        let payload = bytes[min(end + 1, bytes.endIndex)...]
        guard words.count == 3, let id = JobID(String(words[1])), let attempt = Int(words[2]), attempt > 0 else { return nil }
        switch words[0] {
        case "prepare": self = .prepare(id, attempt: attempt, Array(payload))
        case "run": self = .run(id, attempt: attempt)
        case "cancel": self = .cancel(id, attempt: attempt)
        case "exit":
            guard let value = try? JSONReader.read(Array(payload)), let record = ExitRecord(value) else { return nil }
            self = .exit(id, attempt: attempt, record)
        case "refused": self = .refused(id, attempt: attempt, reason: String(decoding: payload, as: UTF8.self))
        default: return nil
        }
    }
}
