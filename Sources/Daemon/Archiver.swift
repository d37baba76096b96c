import SpoolFormat

/// Takes finished jobs out of a spool: one line in `archive/`, then they are gone.
///
/// A job leaves by `done/x` → `.staging/@forget-x` → line in the archive → `.staging/@trash-x` → removed. The name says
/// how far it got, so after a crash its line is neither missing nor there twice. No id begins with `@`.
struct Archiver {
    static let marker = "@forget-"
    static let trash = "@trash-"

    /// Whether a name in `.staging/` is of a job that leaves.
    static func isOurs(_ name: String) -> Bool { name.hasPrefix(marker) || name.hasPrefix(trash) }

    let spool: Spool
    /// Removes a tree below `.staging/`.
    var remove: (String) -> Void

    /// Takes these jobs out. One that is not where it is said to be is left alone; one that can't leave keeps none of the
    /// others.
    /// - Returns: the jobs that left.
    func archive(_ jobs: [(id: JobID, state: JobState)]) throws -> [JobID] {
        var leaving: [JobID] = []
        var failure: SystemFault?
        for job in jobs where job.state.isFinished {
            do throws(SystemFault) { if try leave(job.id, job.state) { leaving.append(job.id) } } catch { failure = failure ?? error }
        }
        try append(leaving.map { Self.marker + $0.text })
        if let failure { throw failure }
        return leaving
    }

    /// Goes on with what was leaving when somebody died.
    func recover() throws {
        let names = try spool.staging.entries().map(\.name.display)
        let leaving = names.filter { $0.hasPrefix(Self.marker) }
        let known = try leaving.isEmpty ? [] : ArchiveLog(spool.archive).recentIDs()
        let isKnown = { (name: String) in known.contains(String(name.dropFirst(Self.marker.count))) }
        try append(leaving.filter { !isKnown($0) })
        for name in leaving.filter(isKnown) { try discard(name) }
        for name in names where name.hasPrefix(Self.trash) { remove(name) }
    }

    private func leave(_ id: JobID, _ state: JobState) throws(SystemFault) -> Bool {
        do throws(SystemFault) {
            try spool.directory(of: state).rename(id.text, to: spool.staging, as: Self.marker + id.text)
            return true
        } catch {
            if error.isMissing || error.exists { return false }
            throw error
        }
    }

    private func append(_ names: [String]) throws {
        guard !names.isEmpty else { return }
        try ArchiveLog(spool.archive).append(try names.map(line))
        for name in names { try discard(name) }
    }

    /// The result and the task of a job, in one line.
    private func line(_ name: String) throws -> JSON {
        let job = try spool.staging.directory(name)
        var line: JSONObject = ["id": .string(String(name.dropFirst(Self.marker.count)))]
        // Records that can't be read leave a shorter line; they don't keep the job from leaving.
        for member in (try? job.readJSON(SpoolLayout.Job.result))?.object?.members ?? [] { line[member.name] = member.value }
        line["log"] = nil
        line["task"] = (try? job.readJSON(SpoolLayout.Job.task)) ?? nil
        return .object(line)
    }

    private func discard(_ name: String) throws {
        let trash = Self.trash + name.dropFirst(Self.marker.count)
        if spool.staging.contains(trash) { try spool.staging.removeTree(trash) }
        try spool.staging.rename(name, to: spool.staging, as: trash)
        remove(trash)
    }
}
