import Glibc
import SpoolFormat

/// One directory of `config/`, a file a thing: read again on change, the last good version of each kept in force.
final class ConfigurationDirectory<Value: Equatable> {
    private let open: () -> Directory
    private var directory: Directory { open() }
    private let convert: (JSON) throws(TaskFault) -> Value
    private var seen: [String: FileStatus] = [:]
    private(set) var values: [String: Value] = [:]

    struct Change {
        let name: String
        /// `nil` where the file was removed.
        let value: Value?
        /// Why the new version is refused; the old one then stays.
        let fault: RejectionRecord?
    }

    /// - Parameter directory: gives the directory as it is now; it may be another one than before.
    init(_ directory: @escaping () -> Directory, convert: @escaping (JSON) throws(TaskFault) -> Value) {
        open = directory
        self.convert = convert
    }

    /// Reads what has changed since the last time.
    func refresh() throws -> [Change] {
        var changes: [Change] = []
        var present: Set<String> = []
        for entry in try directory.entries() where entry.name.hasSuffix(".json") && !entry.name.hasSuffix(".error.json") {
            guard let name = JobID(fileName: entry.name)?.text, QueueName.check(name) != nil else { continue }
            present.insert(name)
            guard let status = try directory.status(entry.name), status != seen[name] else { continue }
            seen[name] = status
            let change = try read(name, status)
            if change.fault == nil, change.value == values[name] { continue }
            changes.append(change)
            if let value = change.value { values[name] = value }
        }
        for name in values.keys where !present.contains(name) {
            values[name] = nil
            changes.append(Change(name: name, value: nil, fault: nil))
        }
        for name in seen.keys where !present.contains(name) {
            seen[name] = nil
            try directory.removeFile(name + ".error.json")
        }
        return changes
    }

    private func read(_ name: String, _ status: FileStatus) throws -> Change {
        let file = name + ".json"
        do {
            let value = try value(of: file, status)
            try directory.removeFile(name + ".error.json")
            return Change(name: name, value: value, fault: nil)
        } catch let fault as Refusal {
            try directory.replace(name + ".error.json", with: JSONWriter.write(fault.record.json))
            return Change(name: name, value: values[name], fault: fault.record)
        }
    }

    private struct Refusal: Error { let record: RejectionRecord }

    private func value(of file: String, _ status: FileStatus) throws -> Value {
        func refuse(_ code: String, _ message: String, hint: String? = nil) -> Refusal {
            Refusal(record: RejectionRecord(code: code, message: message, file: file, hint: hint))
        }
        guard status.kind == .file else { throw refuse("not_a_file", "it is \(status.kind.words), not a regular file") }
        // Who can write configuration can run programs as the daemon's user.
        guard status.uid == geteuid() || status.uid == 0 else {
            throw refuse("wrong_owner", "it belongs to user \(status.uid), not to the daemon's user \(geteuid())")
        }
        guard status.mode & 0o022 == 0 else {
            throw refuse("writable_by_others", "others can write it (mode \(String(status.mode, radix: 8)))", hint: "chmod go-w \(file)")
        }
        let bytes: [UInt8]
        do {
            guard let content = try directory.read(file, limit: Defaults.taskBytes) else { throw refuse("gone", "it is gone") }
            bytes = content.bytes
        } catch let fault as SystemFault {
            throw refuse("unreadable", "\(fault)")
        }
        guard bytes.count <= Defaults.taskBytes else { throw refuse("too_large", "it is larger than 1 MiB") }
        do {
            let json: JSON
            do { json = try JSONReader.read(bytes) } catch { throw Refusal(record: RejectionRecord(error, file: file)) }
            return try convert(json)
        } catch let fault as TaskFault {
            throw Refusal(record: RejectionRecord(fault, file: file, text: bytes))
        }
    }
}
