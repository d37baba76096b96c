import JobRunner
import SpoolFormat

/// What can be made ready of an attempt before it may begin, since it leaves no trace: its record is understood, and its
/// program's environment is made.
struct Preparation {
    /// The `run.json` that this holds for, byte for byte.
    let bytes: [UInt8]
    let record: RunRecord
    /// `nil` where it can't be made. That is found again, and said, when the attempt begins.
    let environment: ProgramEnvironment?

    /// `nil` where the bytes are no record.
    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONReader.read(bytes), let record = try? RunRecord.read(value) else { return nil }
        self.bytes = bytes
        self.record = record
        environment = try? ProgramEnvironment(of: record)
    }
}
