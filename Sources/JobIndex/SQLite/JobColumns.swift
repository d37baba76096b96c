import SpoolFormat

/// How a `JobRow` lies in the table `jobs`: the parameter `?n` of every writing statement and the column `n − 1` of
/// every reading one are the `n`th name.
enum JobColumns {
    /// Indexed and, of most jobs, fixed at the acceptance: rewriting them would rewrite their indexes too.
    private static let lasting = ["id", "seq", "queue", "priority", "verb", "key", "parent"]

    static let changing = [
        "state", "reason", "until", "expires_at", "attempts", "started_at", "finished_at", "duration_ms", "outcome",
        "exit_code", "signal", "error_code", "error_message", "summary", "labels", "depth", "uid", "dependencies",
        "runs_after_failure", "accepted_at", "on_crash", "task", "due_at", "ended_at",
    ]

    static let names = lasting + changing
    static let written = names.joined(separator: ", ")
    static let parameters = names.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
    static let number = "?\(names.count + 1)"
    static let numberIndex = Int32(names.count + 1)

    static func assignments(of columns: [String]) -> String {
        columns.map { "\($0) = ?\(names.firstIndex(of: $0)! + 1)" }.joined(separator: ", ")
    }

    static func bind(_ row: JobRow, labels: String?, dependencies: String?, to query: Query) {
        query.bind(1, row.id.text)
        query.bind(2, row.sequence)
        query.bind(3, row.queue)
        query.bind(4, row.priority)
        query.bind(5, row.verb)
        query.bind(6, row.key)
        query.bind(7, row.parent)
        query.bind(8, row.state.code)
        query.bind(9, row.reason?.rawValue)
        query.bind(10, row.until?.milliseconds)
        query.bind(11, row.expiresAt?.milliseconds)
        query.bind(12, row.attempts)
        query.bind(13, row.startedAt?.milliseconds)
        query.bind(14, row.finishedAt?.milliseconds)
        query.bind(15, row.durationMilliseconds)
        query.bind(16, row.outcome?.rawValue)
        query.bind(17, row.exitCode.map(Int64.init))
        query.bind(18, row.signal.map(Int64.init))
        query.bind(19, row.errorCode)
        query.bind(20, row.errorMessage)
        query.bind(21, row.summary)
        query.bind(22, labels)
        query.bind(23, row.depth)
        query.bind(24, Int64(row.uid))
        query.bind(25, dependencies)
        query.bind(26, row.runsAfterFailure ? 1 : 0)
        query.bind(27, row.acceptedAt.milliseconds)
        query.bind(28, row.onCrash.rawValue)
        query.bind(29, row.task)
        query.bind(30, row.dueAt?.milliseconds)
        query.bind(31, row.endedAt?.milliseconds)
    }

    /// The row that `query` stands on; `nil` where it holds what this version can't have written.
    static func read(_ query: Query) -> JobRow? {
        guard let id = JobID(query.text(0)), let state = JobState(code: query.int(7)),
            let onCrash = CrashPolicy(rawValue: query.text(27)), let uid = UInt32(exactly: query.int(23))
        else { return nil }
        var row = JobRow(
            id: id, sequence: query.int(1), state: state, verb: query.text(4), queue: query.text(2),
            acceptedAt: Timestamp(milliseconds: query.int(26)))
        row.priority = Int(query.int(3))
        row.key = query.optionalText(5)
        row.parent = query.optionalText(6)
        row.reason = query.optionalText(8).flatMap(StateRecord.Reason.init)
        row.until = query.optionalInt(9).map(Timestamp.init(milliseconds:))
        row.expiresAt = query.optionalInt(10).map(Timestamp.init(milliseconds:))
        row.attempts = Int(query.int(11))
        row.startedAt = query.optionalInt(12).map(Timestamp.init(milliseconds:))
        row.finishedAt = query.optionalInt(13).map(Timestamp.init(milliseconds:))
        row.durationMilliseconds = query.optionalInt(14)
        row.outcome = query.optionalText(15).flatMap(Outcome.init)
        row.exitCode = query.optionalInt(16).map { Int($0) }
        row.signal = query.optionalInt(17).map { Int($0) }
        row.errorCode = query.optionalText(18)
        row.errorMessage = query.optionalText(19)
        row.summary = query.text(20)
        row.labels = query.optionalText(21).map(labels) ?? [:]
        row.depth = Int(query.int(22))
        row.uid = uid
        row.dependencies = query.optionalText(24).map(dependencies) ?? []
        row.runsAfterFailure = query.int(25) != 0
        row.onCrash = onCrash
        row.task = query.text(28)
        return row
    }

    // Both are `nil` for most jobs, and then cost nothing. The order is fixed, so that equal labels are equal text.

    static func text(of labels: [String: String]) -> String? {
        guard !labels.isEmpty else { return nil }
        var object = JSONObject()
        for (name, value) in labels.sorted(by: { bytesPrecede($0.key, $1.key) }) { object[name] = .string(value) }
        return JSONWriter.text(.object(object))
    }

    static func text(of dependencies: [String]) -> String? {
        dependencies.isEmpty ? nil : JSONWriter.text(.array(dependencies.map(JSON.string)))
    }

    static func labels(_ text: String) -> [String: String] {
        guard let members = try? JSONReader.read(text).object?.members else { return [:] }
        return Dictionary(members.map { ($0.name, $0.value.string ?? "") }) { _, last in last }
    }

    static func dependencies(_ text: String) -> [String] {
        (try? JSONReader.read(text))?.array?.compactMap(\.string) ?? []
    }
}

extension JobState {
    /// The state as the schema spells it. `allCases` has them in this order.
    var code: Int {
        switch self {
        case .waiting: 0
        case .queued: 1
        case .running: 2
        case .done: 3
        case .failed: 4
        }
    }

    init?(code: Int64) {
        guard code >= 0, code < Self.allCases.count else { return nil }
        self = Self.allCases[Int(code)]
    }
}
