import Testing

@testable import SpoolFormat

@Suite struct RecordTests {
    @Test func aTaskRecordReadsBackAsItWas() throws {
        var tasks = RandomTasks(seed: 2)
        var random = SeededGenerator(state: 3)
        var seen: Set<String> = []
        let now = Timestamp("2026-11-21T15:17:51.042Z")!
        for number in 0..<3000 {
            guard let file = try? TaskReader.read(tasks.task()), let defaults = try? TaskReader.read(tasks.task()) else { continue }
            seen.insert(file.verb.name)
            // A turn has its defaults from its session and its agent, and a queue has none for it.
            let isFilled = ["run", "tasks"].contains(file.verb.name) && Bool.random(using: &random)
            let options = isFilled ? file.options.filled(from: defaults.options) : file.options
            let record = TaskRecord(
                id: JobID("job-\(number)")!, sequence: Int64(number), verb: file.verb, queue: "q\(number % 3)",
                uid: UInt32.random(in: 0...UInt32.max, using: &random), acceptedAt: now, depth: number % 9, options: options)
            let back = try TaskRecord.read(try JSONReader.read(JSONWriter.write(record.json)))
            #expect(back == record)
            #expect(back.json == record.json)
        }
        #expect(seen == Set(Verb.names))
    }

    /// What a queue's defaults add to a task may be more than one file may say; the record must still be readable.
    @Test func aTaskRecordMayHoldMoreThanAFile() throws {
        var labels: [String: String] = [:]
        var more: [String: String] = [:]
        for index in 0..<64 { (labels["a\(index)"], more["b\(index)"]) = ("", "") }
        var environment: [String: EnvironmentValue] = [:]
        for index in 0..<1500 { environment["V\(index)"] = .text("") }
        var options = TaskOptions()
        options.labels = labels
        options.expiresAt = Timestamp("2026-11-21T15:20:00Z")
        var defaults = TaskOptions()
        defaults.labels = more
        defaults.env = environment
        defaults.delay = .days(1)
        let record = TaskRecord(
            id: JobID("a")!, sequence: 1, verb: .run(["true"]), queue: "default", uid: 0,
            acceptedAt: Timestamp("2026-11-21T15:17:51Z")!, depth: 0, options: options.filled(from: defaults))
        #expect(record.options.labels?.count == 128)
        #expect(try TaskRecord.read(record.json) == record)
        let run = RunRecord(
            task: record, attempt: 1, lost: 0, queueEnvironment: ["Q": .text("")], spool: "/spool",
            runner: ProcessIdentity(pid: 1, startTime: 2, bootID: "b"), at: .now)
        #expect(try RunRecord.read(run.json).environment.count == 1501)
    }

    /// An output as deep as one may be stands one level further down in `result.json`.
    @Test func aResultWithADeepOutputReadsBack() throws {
        let output = try JSONReader.read(String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
        let result = ResultRecord(
            id: JobID("a")!, outcome: .succeeded, attempts: 1, queuedAt: Timestamp(milliseconds: 0),
            finishedAt: Timestamp(milliseconds: 1), output: output)
        let back = try JSONReader.read(JSONWriter.write(result.json), maximumDepth: JSONReader.maximumRecordDepth)
        #expect(ResultRecord(back) == result)
    }

    @Test(arguments: [
        #"{"run":["a"]}"#, #"{"id":"a","run":["a"],"uid":0,"accepted_at":"2026-11-21T15:20:00Z"}"#, "[]",
        #"{"id":"a b","run":["a"],"uid":0,"seq":1,"accepted_at":"2026-11-21T15:20:00Z"}"#,
        #"{"id":"a","run":["a"],"uid":0,"seq":1,"accepted_at":"2026-11-21T15:20:00Z","colour":"red"}"#,
        #"{"id":"a","run":["a"],"uid":-1,"seq":1,"accepted_at":"2026-11-21T15:20:00Z"}"#,
        #"{"id":"a","run":["a"],"uid":0,"seq":1,"accepted_at":"2026-11-21T15:20:00Z","queue":5}"#,
    ])
    func noOtherFileIsATaskRecord(_ text: String) throws {
        let value = try JSONReader.read(text)
        #expect(throws: TaskFault.self) { try TaskRecord.read(value) }
    }

    @Test(arguments: [
        "0000-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2000-02-29T12:00:00.001Z", "9999-12-31T23:59:59.999Z",
    ])
    func timesReadBack(_ text: String) { #expect(Timestamp(text)?.description == text) }

    @Test(arguments: ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:00-00:01", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z"])
    func timesThatCantBeWrittenAreNone(_ text: String) { #expect(Timestamp(text) == nil) }

    @Test func spansReadBack() {
        var random = SeededGenerator(state: 5)
        for _ in 0..<5000 {
            let span = TimeSpan(milliseconds: Int64.random(in: 0...TimeSpan.longest.milliseconds, using: &random) >> Int64.random(in: 0..<40, using: &random))
            #expect(TimeSpan(span.description) == span)
        }
    }
}
