import SpoolFormat

/// One directory of `config/`, a file a thing: read again on change, the last good version of each kept in force.
///
/// A copy of the last good version is in `daemon/config/`, so that it stays in force also for the next daemon.
///
/// A file that is written in place may be seen half-written. One that does not parse, and has just been changed or is
/// open for writing, is left as it is until it has kept still for `settle`, like a file in the inbox; the last good
/// version stays in force meanwhile.
final class ConfigurationDirectory<Value: Equatable> {
    private let spool: Spool
    private let kind: String
    private let convert: (JSON) throws(TaskFault) -> Value
    private var seen: [String: FileStatus] = [:]
    private var settling = Settling()
    /// Whose last good version was put in force while the file itself could not be judged yet.
    private var standIns: Set<String> = []
    private var wasTrusted = true
    private var hasLooked = false
    private(set) var values: [String: Value] = [:]

    struct Change {
        let name: String
        /// What is in force now; `nil` where there is nothing.
        let value: Value?
        /// Why the new version is refused; the old one then stays.
        let fault: RejectionRecord?
    }

    /// - Parameter kind: the directory's name, such as `queues`.
    init(_ spool: Spool, _ kind: String, convert: @escaping (JSON) throws(TaskFault) -> Value) {
        self.spool = spool
        self.kind = kind
        self.convert = convert
    }

    /// Tells what has changed since the last time. What could not be read for want of something is tried the next time,
    /// and keeps none of the others.
    func refresh(_ report: (Change) throws -> Void) throws {
        let config = try spool.root.directory(SpoolLayout.config)
        let directory = try config.directory(kind)
        let kept = try spool.daemon.directory(makingIfMissing: SpoolLayout.config).directory(makingIfMissing: kind)
        let distrust = try TrustedFile.distrust(config, "config/") ?? TrustedFile.distrust(directory, "config/\(kind)/")
        if (distrust == nil) != wasTrusted { seen = [:] }
        wasTrusted = distrust == nil
        var failure: (any Error)?
        func step(_ body: () throws -> Void) { do { try body() } catch { failure = failure ?? error } }
        var present: Set<String> = []
        let entries = try directory.entries()
        settling.keep(only: Set(entries.map(\.name)))
        for entry in entries {
            guard let name = Self.name(of: entry.name) else { continue }
            present.insert(name)
            step {
                guard let status = try directory.status(entry.name), status != seen[name] else { return settling.forget(entry.name) }
                guard let change = try read(name, status, in: directory, distrust, kept) else { return try standIn(for: name, kept, report) }
                settling.forget(entry.name)
                // What could not be acted on is told again the next time.
                let isNews = seen[name] == nil && !standIns.contains(name) || change.fault != nil || change.value != values[name]
                values[name] = change.value
                standIns.remove(name)
                if isNews { try report(change) }
                seen[name] = status
            }
        }
        for name in Set(seen.keys).union(values.keys).subtracting(present) {
            step {
                try directory.removeFile(name + ".error.json")
                try kept.removeFile(name + ".json")
                seen[name] = nil
                standIns.remove(name)
                if values.removeValue(forKey: name) != nil { try report(Change(name: name, value: nil, fault: nil)) }
            }
        }
        // What was removed while no daemon looked must not come back.
        if !hasLooked {
            for entry in try kept.entries() where !present.contains(String(entry.name.display.dropLast(5))) { try kept.removeFile(entry.name) }
        }
        if let failure { throw failure }
        hasLooked = true
    }

    /// When a file is to be looked at again that could not be judged yet.
    var nextLook: TimeSpan? { settling.nextLook }

    /// Says beside a file what could not be done of what it wants; `nil` takes that back.
    func complain(_ name: String, _ record: RejectionRecord?) throws {
        let directory = try spool.root.directory(SpoolLayout.config).directory(kind)
        guard let record else { return try directory.removeFile(name + ".error.json") }
        try directory.replace(name + ".error.json", with: JSONWriter.write(record.json))
    }

    /// The name of the thing that a file describes.
    private static func name(of file: EntryName) -> String? {
        guard file.hasSuffix(".json"), !file.hasSuffix(".error.json") else { return nil }
        return JobID(fileName: file).flatMap { QueueName.check($0.text) }
    }

    /// - Returns: `nil` for what may be half-written.
    private func read(_ name: String, _ status: FileStatus, in directory: Directory, _ distrust: Refusal?, _ kept: Directory) throws -> Change? {
        let file = name + ".json"
        do {
            if let distrust { throw distrust.named(file) }
            let (value, bytes) = try value(of: file, status, in: directory)
            if try kept.read(file)?.bytes != bytes { try kept.replace(file, with: bytes) }
            try directory.removeFile(name + ".error.json")
            return Change(name: name, value: value, fault: nil)
        } catch let fault as Refusal {
            if fault.mayBeUnfinished, mayBeInTheMaking(file, status, in: directory), !settling.hasSettled(EntryName(file), status, in: directory) { return nil }
            try directory.replace(name + ".error.json", with: JSONWriter.write(fault.record.json))
            return Change(name: name, value: try values[name] ?? last(file, in: kept), fault: fault.record)
        }
    }

    /// What was not seen to change, has the time of an earlier change, and is open for nobody to write is as somebody
    /// left it.
    private func mayBeInTheMaking(_ file: String, _ status: FileStatus, in directory: Directory) -> Bool {
        settling.isWaiting(for: EntryName(file)) || Timestamp.now.milliseconds - status.changed / 1_000_000 < Defaults.settle.milliseconds
            || Settling.isBeingWritten(EntryName(file), in: directory)
    }

    /// At the start there may be no version in force yet when a file can't be judged.
    private func standIn(for name: String, _ kept: Directory, _ report: (Change) throws -> Void) throws {
        guard seen[name] == nil, !standIns.contains(name), let value = try last(name + ".json", in: kept) else { return }
        values[name] = value
        try report(Change(name: name, value: value, fault: nil))
        standIns.insert(name)
    }

    /// The version that an earlier daemon has found good, if it still is.
    private func last(_ file: String, in kept: Directory) throws -> Value? {
        guard let status = try kept.status(file) else { return nil }
        do { return try value(of: file, status, in: kept).value } catch is Refusal { return nil }
    }

    private func value(of file: String, _ status: FileStatus, in directory: Directory) throws -> (value: Value, bytes: [UInt8]) {
        let bytes = try TrustedFile.read(file, status, in: directory)
        let json: JSON
        do { json = try JSONReader.read(bytes) } catch { throw Refusal(RejectionRecord(error, file: file), mayBeUnfinished: true) }
        // Only an object is known to be whole.
        do { return (try convert(json), bytes) } catch { throw Refusal(RejectionRecord(error, file: file, text: bytes), mayBeUnfinished: json.object == nil) }
    }
}
