import SpoolFormat

/// The way out of a spool: `done/x` → `.staging/forget@x` → line in the archive → `.staging/trash@x` → removed.
///
/// The name says how far a job got, so after a crash its line is neither missing nor there twice. `@` is in no job's id.
final class Leaving {
    private static let marker = "forget@"
    private static let trash = "trash@"

    static func isOurs(_ name: String) -> Bool { name.hasPrefix(marker) || name.hasPrefix(trash) }

    private let spool: Spool
    private let archive: ArchiveLog
    /// Removes a tree below `.staging/`, perhaps later.
    var remove: (String) -> Void

    init(_ spool: Spool, remove: @escaping (String) -> Void = { _ in }) {
        self.spool = spool
        self.remove = remove
        archive = ArchiveLog(spool.archive)
    }

    /// Takes a finished job out of its state's directory.
    /// - Returns: its name below `.staging/`; `nil` where somebody was quicker.
    func leave(_ id: JobID, from state: JobState) throws(SystemFault) -> String? {
        precondition(state.isFinished)
        let name = Self.marker + id.text
        do throws(SystemFault) {
            try spool.directory(of: state).rename(id.text, to: spool.staging, as: name)
            return name
        } catch {
            if error.isMissing || error.exists { return nil }
            throw error
        }
    }

    /// Writes a line for each of the names, in one write, and removes what they stand for.
    func putIntoArchive(_ names: [String]) throws {
        guard !names.isEmpty else { return }
        var lines: [JSON] = []
        for name in names {
            let job = try spool.staging.directory(name)
            var line = JSONObject()
            for member in (try? job.readJSON(SpoolLayout.Job.result))?.object?.members ?? [] { line[member.name] = member.value }
            line["id"] = line["id"] ?? .string(Self.id(name))
            line["log"] = nil
            line["task"] = (try? job.readJSON(SpoolLayout.Job.task)) ?? nil
            lines.append(.object(line))
        }
        try archive.append(lines)
        for name in names { try discard(name) }
    }

    /// Goes on with what was leaving at a crash. Only for who is alone with the spool.
    func recover() throws {
        let names = try spool.staging.entries().map(\.name.display)
        let leaving = names.filter { $0.hasPrefix(Self.marker) }
        let known = try leaving.isEmpty ? [] : archive.recentIDs()
        try putIntoArchive(leaving.filter { !known.contains(Self.id($0)) })
        for name in leaving where known.contains(Self.id(name)) { try discard(name) }
        for name in names where name.hasPrefix(Self.trash) { remove(name) }
    }

    private func discard(_ name: String) throws {
        let trash = Self.trash + Self.id(name)
        if spool.staging.contains(trash) { try spool.staging.removeTree(trash) }
        try spool.staging.rename(name, to: spool.staging, as: trash)
        remove(trash)
    }

    private static func id(_ name: String) -> String { String(name.dropFirst(marker.count)) }
}
