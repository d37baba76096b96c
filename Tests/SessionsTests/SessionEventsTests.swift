import Dispatch
import Glibc
import SpoolFormat
import TestSupport
import Testing

@testable import Sessions

/// `events.jsonl` under many writers, floods and its own size.
@Suite struct SessionEventsTests {
    private static let id = JobID("t")!

    private static func lines(_ spool: TestSpool, _ name: String) -> [JSON] { spool.lines("work/\(name)") }

    private static func place(_ spool: TestSpool) throws -> Directory {
        try Directory(spool.path).makeDirectory("work")
        return try Directory(spool.path).directory("work")
    }

    @Test("What is written together comes in order, with what is said in between in its place")
    func together() throws {
        let spool = TestSpool()
        let events = SessionEvents(in: try Self.place(spool), turn: Self.id)
        events.append(fromAgent: "update", ["n": 0])
        events.together {
            for number in 1..<1000 {
                events.append(fromAgent: "update", ["n": .number(number)])
                if number == 500 {
                    try? events.append("waiting")
                    // It can be seen by whoever is told of it.
                    #expect(Self.lines(spool, "events.jsonl").count == 502)
                }
            }
        }
        let lines = Self.lines(spool, "events.jsonl")
        #expect(lines.compactMap { $0["n"]?.int } == Array(0..<1000))
        #expect(lines[501]["event"]?.string == "waiting")
    }

    @Test("Past its cap of a turn nothing more of an agent is written, and that is said once; what Rouse says still is")
    func cap() throws {
        let spool = TestSpool()
        let place = try Self.place(spool)
        let events = SessionEvents(in: place, turn: Self.id, longest: 1 << 30)
        let text = JSON.string(String(repeating: "x", count: 1 << 20))
        for _ in 0..<10 { events.together { for _ in 0..<10 { events.append(fromAgent: "update", ["text": text]) } } }
        try events.append("reply")
        let words = Self.lines(spool, "events.jsonl").compactMap { $0["event"]?.string }
        #expect(words == Array(repeating: "update", count: 63) + ["updates_left_out", "reply"])
    }

    @Test("It is begun anew when it has grown large; the one before is kept, and the one before that is not")
    func rotation() throws {
        let spool = TestSpool()
        let events = SessionEvents(in: try Self.place(spool), turn: Self.id, longest: 10_000)
        for number in 0..<1000 { events.append(fromAgent: "update", ["n": .number(number)]) }
        let (before, now) = (Self.lines(spool, "events.1.jsonl"), Self.lines(spool, "events.jsonl"))
        let numbers = (before + now).compactMap { $0["n"]?.int }
        #expect(numbers == Array((1000 - numbers.count)..<1000) && !now.isEmpty && before.count > now.count / 2)
        #expect(spool.list("work") == ["events.1.jsonl", "events.jsonl"])
        for name in spool.list("work") { #expect((spool.text("work/\(name)") ?? "").utf8.count <= 10_000) }
    }

    @Test("Several writers lose no line to a file that is begun anew, and write none twice or torn")
    func writers() throws {
        let spool = TestSpool()
        let place = try Self.place(spool)
        let group = DispatchGroup()
        for writer in 0..<4 {
            group.enter()
            DispatchQueue(label: "writer \(writer)").async {
                let events = SessionEvents(in: place, turn: Self.id, longest: 200_000)
                for number in 0..<1000 { events.append(fromAgent: "update", ["writer": .number(writer), "n": .number(number)]) }
                group.leave()
            }
        }
        group.wait()
        let all = Self.lines(spool, "events.1.jsonl") + Self.lines(spool, "events.jsonl")
        for writer in 0..<4 {
            let numbers = all.filter { $0["writer"]?.int == writer }.compactMap { $0["n"]?.int }
            // What is there is the end of what it wrote, without a gap.
            #expect(numbers == Array((1000 - numbers.count)..<1000), "\(writer): \(numbers.count)")
        }
        let text = ["events.1.jsonl", "events.jsonl"].compactMap { spool.text("work/\($0)") }.joined()
        #expect(all.count == text.split(separator: "\n").count)
    }

    @Test("A file that can't be begun anew goes on")
    func noRotation() throws {
        let spool = TestSpool()
        let place = try Self.place(spool)
        // Where a directory is, the file can't be.
        try place.makeDirectory("events.1.jsonl")
        let events = SessionEvents(in: place, turn: Self.id, longest: 1000)
        for number in 0..<100 { try events.append("prompt", ["n": .number(number)]) }
        #expect(Self.lines(spool, "events.jsonl").compactMap { $0["n"]?.int } == Array(0..<100))
    }

    @Test("A writer that does not let go of the file holds up no other, and the file is not begun anew meanwhile")
    func lock() throws {
        let spool = TestSpool()
        let events = SessionEvents(in: try Self.place(spool), turn: Self.id, longest: 1000)
        try events.append("prompt", ["n": 0])
        let other = open("\(spool.path)/work/events.jsonl", O_RDONLY | O_CLOEXEC)
        #expect(flock(other, LOCK_EX) == 0)
        for number in 1..<100 { try events.append("prompt", ["n": .number(number)]) }
        #expect(Self.lines(spool, "events.jsonl").compactMap { $0["n"]?.int } == Array(0..<100))
        close(other)
        try events.append("prompt", ["n": 100])
        #expect(spool.list("work") == ["events.1.jsonl", "events.jsonl"])
    }
}
