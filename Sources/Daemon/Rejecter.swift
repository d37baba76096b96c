import Glibc
import SpoolFormat

/// Moves what can't be taken to `rejected/`, as it was dropped, with the reason beside it.
struct Rejecter {
    let ledger: Ledger

    /// Moves `name` from `source`, under the name it was dropped by or the closest one that is free.
    func reject(_ name: some FileName, in source: Directory, as original: EntryName, _ record: RejectionRecord) throws(SystemFault) {
        let rejected = ledger.spool.rejected
        for attempt in 0..<1000 {
            let free = Self.name(original, attempt: attempt)
            // A name is taken with its error file, or two files would share one reason.
            if rejected.contains(free) || hasReason(free) && !isStale(reasonOf: free) { continue }
            do {
                try source.rename(name, to: rejected, as: free)
            } catch where error.errno == EEXIST {
                continue
            }
            ledger.rejections += 1
            ledger.events.append("rejected", [
                "file": .string(original.display), "code": .string(record.code), "message": .string(record.message),
            ])
            try rejected.replace(EntryName(Self.errorName(free).bytes), with: record)
            return
        }
        throw SystemFault("find a free name in", rejected.path, errno: EEXIST)
    }

    /// Removes the reason why a file of this name was rejected, once that file was mended and has been accepted.
    func forgetReason(of name: EntryName) throws(SystemFault) {
        if hasReason(name), isStale(reasonOf: name) { try ledger.spool.rejected.removeFile(Self.errorName(name)) }
    }

    private func hasReason(_ name: EntryName) -> Bool { ledger.spool.rejected.contains(Self.errorName(name)) }

    /// The file that the reason is of was taken away: `x.error.json` is of `x.json` or of `x`. A name that was cut may be
    /// of others.
    private func isStale(reasonOf name: EntryName) -> Bool {
        let stem = EntryName(Self.errorName(name).bytes.dropLast(".error.json".utf8.count))
        guard stem.bytes.count < Self.longestStem else { return false }
        return !ledger.spool.rejected.contains(stem) && !ledger.spool.rejected.contains(EntryName(stem.bytes + ".json".utf8))
    }

    /// Writes the reasons that a crash has left unwritten.
    func completeReasons() throws {
        let rejected = ledger.spool.rejected
        let entries = try rejected.entries()
        let names = Set(entries.map(\.name))
        for entry in entries where !entry.name.hasSuffix(".error.json") && !entry.name.hasPrefix(".") {
            let errorName = Self.errorName(entry.name)
            guard !names.contains(errorName) else { continue }
            try rejected.replace(errorName, with: reason(of: entry.name))
        }
    }

    private func reason(of name: EntryName) -> RejectionRecord {
        // Whatever can't be read has no better reason to be given.
        let kind = (try? ledger.spool.rejected.status(name))??.kind
        if kind == .file, let (bytes, _) = try? ledger.spool.rejected.read(name, limit: Defaults.taskBytes) {
            do {
                _ = try TaskReader.read(try JSONReader.read(bytes))
            } catch let fault as JSONFault {
                return RejectionRecord(fault, file: name.display)
            } catch let fault as TaskFault {
                return RejectionRecord(fault, file: name.display, text: bytes)
            } catch {}
        }
        return RejectionRecord(
            code: "rejected", message: "it was rejected, and the reason was lost in a crash", file: name.display,
            hint: "drop it again to hear the reason")
    }

    private static func name(_ original: EntryName, attempt: Int) -> EntryName {
        guard attempt > 0 else { return original }
        let suffix = "~\(attempt)"
        let stem = original.hasSuffix(".json") ? EntryName(original.bytes.dropLast(5)) : original
        let ending = original.hasSuffix(".json") ? ".json" : ""
        let room = 255 - suffix.utf8.count - ending.utf8.count
        return EntryName(stem.bytes.prefix(room) + suffix.utf8 + ending.utf8)
    }

    /// `x.json` → `x.error.json`; what has another ending keeps it. A name that has no room for that is cut.
    static func errorName(_ name: EntryName) -> EntryName {
        let stem = name.hasSuffix(".json") ? name.bytes.dropLast(5) : name.bytes[...]
        return EntryName(stem.prefix(longestStem) + ".error.json".utf8)
    }

    private static let longestStem = 255 - ".error.json".utf8.count - 6
}

extension Directory {
    fileprivate func replace(_ name: EntryName, with record: RejectionRecord) throws(SystemFault) {
        let temporary = EntryName(".error.tmp")
        try write(JSONWriter.write(record.json), to: temporary)
        try rename(temporary, to: self, as: name, replacing: true)
    }
}
