import CLinux
import Glibc
import SpoolFormat

/// A task as somebody wrote it, checked by the reader that the daemon uses.
struct TaskText {
    /// Where it comes from, for messages: a file's path or `-`.
    let origin: String
    private(set) var bytes: [UInt8]
    private(set) var object: JSONObject
    /// It is acted on at once, and not by a runner.
    private(set) var isVerb = false

    init(_ bytes: [UInt8], from origin: String) throws {
        self.origin = origin
        self.bytes = bytes
        let name = origin == "-" ? "standard input" : origin
        guard bytes.count <= Defaults.taskBytes else {
            throw Self.tooLarge(bytes, name)
        }
        do {
            let value = try JSONReader.read(bytes)
            isVerb = try !TaskReader.read(value).verb.runs
            object = value.object ?? JSONObject()
        } catch let fault as JSONFault {
            throw CommandFault(RejectionText(RejectionRecord(fault, file: name)).text, .badData)
        } catch let fault as TaskFault {
            throw CommandFault(RejectionText(RejectionRecord(fault, file: name, text: bytes)).text, .badData)
        }
    }

    /// A task made of options.
    init(_ object: JSONObject) throws {
        origin = "the task"
        self.object = object
        bytes = JSONWriter.write(.object(object))
        try check()
    }

    /// Sets fields over what the text says. The text then is written anew.
    mutating func set(_ fields: JSONObject) throws {
        guard !fields.isEmpty else { return }
        for member in fields.members {
            switch (object[member.name], member.value) {
            case (.object(var old)?, .object(let new)) where member.name != "backoff":
                for inner in new.members { old[inner.name] = inner.value }
                object[member.name] = .object(old)
            default: object[member.name] = member.value
            }
        }
        bytes = JSONWriter.write(.object(object))
        try check()
    }

    /// Options are part of the command line, so what is wrong with them is a fault of usage.
    private mutating func check() throws {
        guard bytes.count <= Defaults.taskBytes else {
            throw Self.tooLarge(bytes, origin)
        }
        do {
            isVerb = try !TaskReader.read(.object(object)).verb.runs
        } catch {
            // Most messages say what is expected.
            let expected = error.expected.flatMap { error.message.contains($0) ? nil : "; expected \($0)" }
            let hint = error.hint.map { "; \($0)" } ?? expected ?? ""
            throw CommandFault(error.message + hint, .usage)
        }
    }

    private static func tooLarge(_ bytes: [UInt8], _ name: String) -> CommandFault {
        CommandFault(RejectionText(.tooLarge(Int64(bytes.count), file: name)).text, .badData)
    }

    /// Reads a file, or standard input for `-`, up to a byte more than a task may have.
    static func read(_ origin: String) throws -> [UInt8] {
        guard origin != "-" else { return try read(descriptor: 0, name: "standard input", limit: Defaults.taskBytes) }
        let file = rouse_open(origin, O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { throw SystemFault("read", origin) }
        defer { close(file) }
        return try read(descriptor: file, name: origin, limit: Defaults.taskBytes)
    }

    static func read(descriptor: Int32, name: String, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemFault("read", name) }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes
    }
}
