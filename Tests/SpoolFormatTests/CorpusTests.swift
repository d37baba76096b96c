import Testing

@testable import SpoolFormat

@Suite struct CorpusTests {
    @Test func rejectsEveryBadFileWithItsCodeAtItsPlace() throws {
        let files = try Fixtures.files("bad")
        let expected = try JSONReader.read(Fixtures.expectations())
        #expect(files.count >= 160)
        #expect(Set(files.map(\.name)) == Set(expected.object!.names))
        for file in files {
            guard let record = rejection(of: file.bytes) else {
                Issue.record("\(file.name) is accepted")
                continue
            }
            let entry = expected[file.name]
            #expect(record.code == entry?["code"]?.string, "\(file.name): \(record.message)")
            #expect(record.position?.line == entry?["line"]?.int, "\(file.name): \(record.message)")
            #expect(record.position?.column == entry?["column"]?.int, "\(file.name): \(record.message)")
            #expect(record.field == entry?["field"]?.string, "\(file.name): \(record.message)")
            #expect(record.message.utf8.count < 400, "\(file.name): \(record.message)")
            #expect(!record.message.utf8.contains { $0 < 0x20 }, "\(file.name)")
            #expect(record.expected?.isEmpty == false, "\(file.name)")
            #expect(throws: Never.self) { try JSONReader.read(JSONWriter.write(record.json)) }
        }
    }

    @Test func acceptsEveryGoodFile() throws {
        let files = try Fixtures.files("good")
        #expect(files.count >= 40)
        var verbs: Set<String> = []
        var fields: Set<String> = []
        for file in files {
            if let record = rejection(of: file.bytes) {
                Issue.record("\(file.name): \(record.message)")
                continue
            }
            let value = try JSONReader.read(file.bytes)
            let task = try TaskReader.read(value)
            verbs.insert(task.verb.name)
            fields.formUnion(value.object!.names)
            // What is normalised is normal.
            #expect(try TaskReader.read(task.json) == task, "\(file.name)")
            #expect(try JSONReader.read(JSONWriter.write(task.json)) == task.json, "\(file.name)")
        }
        #expect(verbs == Set(Verb.names))
        #expect(fields.isSuperset(of: TaskReader.workFields + TaskReader.commonFields))
    }

    @Test func takesAFileOfAMegabyteAndMore() throws {
        // The limit on the size of a file is kept by whoever opens it; the reader takes what it is given.
        let text = #"{"run": ["true"], "stdin": ""# + String(repeating: "x", count: 1 << 20) + "\"}"
        #expect(rejection(of: text) == nil)
        let broken = #"{"run": ["true"], "stdin": ""# + String(repeating: "x", count: 1 << 20)
        #expect(rejection(of: broken)?.code == "unexpected_end")
        #expect(rejection(of: broken)?.position?.column == broken.utf8.count + 1)
    }
}
