import SpoolFormat

// What is left of a job where there is none of its name.
extension SpoolDirectory {
    /// So many names are looked through for a hint.
    private static let mostNames = 20_000

    private func names() -> [JobID] {
        let ids = JobState.allCases.flatMap { (try? directory($0.rawValue)?.jobIDs()) ?? [] }
        return ids.count < Self.mostNames ? ids : []
    }

    /// The jobs that were dropped as `<id>.json` while the name was in use, and are called by it with a suffix.
    func namesakes(of id: JobID) -> [JobID] { names().filter { $0.isDerived(from: id.text) }.sorted() }

    func namesakeText(of id: JobID) -> String? {
        let found = namesakes(of: id)
        guard let last = found.last else { return nil }
        let others = found.count > 1 ? " (and \(found.count - 1) more before it)" : ""
        return "\(id).json was dropped when the name was in use, and is called \(last)\(others)"
    }

    func noSuchJob(_ id: JobID) -> CommandFault {
        if let place = archivePlace(of: id) {
            return CommandFault("the job \(id) was forgotten; what is left of it is line \(place.line) of \(path(SpoolLayout.archive, place.file))", .missing)
        }
        let hint = namesakeText(of: id) ?? nearest(to: id.text, among: names().map(\.text)).map { "did you mean \($0)?" }
        return CommandFault("there is no job \(id) in \(path)" + (hint.map { "; " + $0 } ?? ""), .missing)
    }

    /// What was rejected is no job, and no verb acts on it.
    func isRejected(_ id: JobID) -> CommandFault {
        CommandFault(
            "\(id).json is no job: it was rejected. " + rejectionText(of: id)
                + "\nmend \(path(SpoolLayout.rejected, id.text)).json, then drop it again: mv \(path(SpoolLayout.rejected, id.text)).json \(path(SpoolLayout.inbox))/",
            .badData)
    }

    /// Where the archive tells of the job, the last time that it does.
    private func archivePlace(of id: JobID) -> (file: String, line: Int)? {
        guard let archive = try? directory(SpoolLayout.archive), let entries = try? archive.entries() else { return nil }
        let start = Array(#"{"id":"\#(id)""#.utf8)
        for name in entries.map(\.name.display).filter({ $0.hasSuffix(".jsonl") }).sorted(by: >) {
            guard let bytes = (try? archive.read(name, limit: 1 << 30))??.bytes else { continue }
            let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            if let index = lines.lastIndex(where: { $0.starts(with: start) }) { return (name, index + 1) }
        }
        return nil
    }
}
