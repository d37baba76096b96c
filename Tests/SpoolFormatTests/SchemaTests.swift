import Foundation
import Testing

@testable import SpoolFormat

/// The schemas against a validator that knows nothing of the readers.
@Suite struct SchemaTests {
    @Test func aTaskSchemaSaysWhatTheReaderSays() throws {
        var random = RandomTasks(seed: 11, wrong: 4)
        var sound = RandomTasks(seed: 12)
        var values = (0..<6000).map { _ in random.task() } + (0..<2000).map { _ in sound.task() }
        for file in try Fixtures.files("good") + Fixtures.files("bad") {
            if let value = try? JSONReader.read(file.bytes) { values.append(value) }
        }
        let count = try compare(values, with: Schema.task) { value throws(TaskFault) in _ = try TaskReader.read(value) }
        #expect(count.accepted > 1500 && count.rejected > 1500)
    }

    @Test func aQueueSchemaSaysWhatTheReaderSays() throws {
        let texts = ConfigurationTests.goodQueues + ConfigurationTests.badQueues.map(\.0)
        _ = try compare(try texts.map { try JSONReader.read($0) }, with: Schema.queue) { value throws(TaskFault) in
            _ = try QueueConfiguration.read(value)
        }
    }

    @Test func aScheduleSchemaSaysWhatTheReaderSays() throws {
        let texts = ConfigurationTests.goodSchedules + ConfigurationTests.badSchedules.map(\.0)
        _ = try compare(try texts.map { try JSONReader.read($0) }, with: Schema.schedule) { value throws(TaskFault) in
            _ = try ScheduleConfiguration.read(value)
        }
    }

    @Test func anAgentSchemaSaysWhatTheReaderSays() throws {
        let texts = AgentTests.good + AgentTests.bad.map(\.0)
        _ = try compare(try texts.map { try JSONReader.read($0) }, with: Schema.agent) { value throws(TaskFault) in
            _ = try AgentConfiguration.read(value)
        }
    }

    @Test func aSessionSchemaSaysWhatTheReaderSays() throws {
        let texts = AgentTests.goodSessions + AgentTests.badSessions.map(\.0)
        _ = try compare(try texts.map { try JSONReader.read($0) }, with: Schema.session) { value throws(TaskFault) in
            _ = try SessionConfiguration.read(value)
        }
    }

    @Test func theSchemaHasTheFieldsOfTheReader() throws {
        let names = Schema.optionProperties(isElement: false).names
        #expect(Set(names) == Set(TaskReader.workFields + TaskReader.commonFields))
        #expect(Schema.names.allSatisfy { Schema.named($0) != nil } && Schema.named("x") == nil)
    }

    /// What a schema can't say (see `Schema`).
    private func isBeyondASchema(_ fault: TaskFault, _ value: JSON) -> Bool {
        fault.code == "duplicate_field" || fault.message.contains("would expire") || fault.message.contains(", less than ")
            || fault.message.contains("no regular expression") || fault.expected == "a regular expression" || fault.message.contains("the task itself") || fault.message.contains("past the last task")
            || ["2026-02-30T", "36501d", "-12-31T23:59:59-", "0000-01-01T00:00:00+"].contains { fault.message.contains($0) }
    }

    private func compare(
        _ values: [JSON], with schema: JSON, _ read: (JSON) throws(TaskFault) -> Void
    ) throws -> (accepted: Int, rejected: Int) {
        let verdicts = try judge(values, schema)
        #expect(verdicts.count == values.count)
        var (accepted, rejected) = (0, 0)
        for (value, isValid) in zip(values, verdicts) {
            do throws(TaskFault) {
                try read(value)
                accepted += 1
                #expect(isValid, "read, but not valid: \(JSONWriter.text(value).prefix(500))")
            } catch {
                rejected += 1
                #expect(!isValid || isBeyondASchema(error, value), "\(error.message), but valid: \(JSONWriter.text(value).prefix(500))")
            }
        }
        return (accepted, rejected)
    }

    private func judge(_ values: [JSON], _ schema: JSON) throws -> [Bool] {
        let directory = FileManager.default.temporaryDirectory.appending(path: "schema-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (schemaFile, valuesFile) = (directory.appending(path: "schema.json"), directory.appending(path: "values.jsonl"))
        try Data(JSONWriter.write(schema)).write(to: schemaFile)
        try Data(values.flatMap { JSONWriter.write($0, .line) }).write(to: valuesFile)
        let script = """
            import json, jsonschema, sys
            schema = json.load(open(sys.argv[1]))
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = jsonschema.Draft202012Validator(schema)
            print("".join("1" if validator.is_valid(json.loads(line)) else "0" for line in open(sys.argv[2], encoding="utf-8", newline="\\n")))
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, schemaFile.path(), valuesFile.path()]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return text.compactMap { $0 == UInt8(ascii: "1") ? true : $0 == UInt8(ascii: "0") ? false : nil }
    }
}
