import SpoolFormat

@testable import JobIndex

extension Timestamp {
    static func second(_ number: Int64) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + number * 1000) }
}

extension JobRow {
    /// A job as a test needs it; `change` says what is special about it.
    static func sample(
        _ id: String, _ sequence: Int64, _ state: JobState = .queued, queue: String = "default",
        _ change: (inout JobRow) -> Void = { _ in }
    ) -> JobRow {
        var row = JobRow(
            id: JobID(id)!, sequence: sequence, state: state, verb: "run", queue: queue, acceptedAt: .second(sequence))
        row.summary = "true"
        row.uid = 1000
        row.task = #"{"id":"\#(id)","run":["true"]}"#
        change(&row)
        return row
    }

    /// A finished job; `ended` is the second in which it ended.
    static func ended(_ id: String, _ sequence: Int64, at ended: Int64, _ outcome: Outcome = .succeeded, queue: String = "default") -> JobRow {
        sample(id, sequence, outcome.state, queue: queue) {
            $0.outcome = outcome
            $0.finishedAt = .second(ended)
        }
    }
}

extension [JobRow] {
    var ids: [String] { map(\.id.text) }
}
