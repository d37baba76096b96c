public import SpoolFormat

/// What is remembered of a job that was forgotten: how it ended, for those that come after it.
public struct ForgottenJob: Sendable, Equatable {
    public var id: JobID
    public var key: String?
    public var outcome: Outcome
    public var finishedAt: Timestamp

    public init(id: JobID, key: String? = nil, outcome: Outcome, finishedAt: Timestamp) {
        self.id = id
        self.key = key
        self.outcome = outcome
        self.finishedAt = finishedAt
    }

    /// `nil` where the job is not finished.
    public init?(_ row: JobRow) {
        guard let outcome = row.outcome, let finishedAt = row.finishedAt else { return nil }
        self.init(id: row.id, key: row.key, outcome: outcome, finishedAt: finishedAt)
    }

    /// From a line of the archive.
    init?(_ line: JSON) {
        guard let result = ResultRecord(line) else { return nil }
        self.init(id: result.id, key: line["task"]?["key"]?.string, outcome: result.outcome, finishedAt: result.finishedAt)
    }

    /// Those of `spool` that finished after `time`, by the files of its archive. A line that can't be read is left aside.
    public static func all(in spool: Directory, finishedAfter time: Timestamp, _ body: (ForgottenJob) throws -> Void) throws {
        guard spool.contains(SpoolLayout.archive) else { return }
        let archive = try spool.directory(SpoolLayout.archive)
        // A job is archived after its end, so an older file has nothing younger.
        for name in try archive.entries().map(\.name.display).sorted() where name.hasSuffix(".jsonl") && name >= time.day {
            guard let bytes = try archive.read(name, limit: 1 << 30)?.bytes else { continue }
            for line in bytes.split(separator: 0x0A) {
                guard let json = try? JSONReader.read(Array(line), maximumDepth: JSONReader.maximumRecordDepth),
                    let job = ForgottenJob(json), time < job.finishedAt
                else { continue }
                try body(job)
            }
        }
    }
}
