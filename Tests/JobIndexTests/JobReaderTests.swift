import SpoolFormat
import Testing

@testable import JobIndex

@Suite struct JobReaderTests {
    private let place: Place

    init() throws { place = try Place() }

    @Test func `a reader sees what was committed, and only that`() throws {
        let store = try SQLiteJobStore(path: place.index)
        let reader = try JobReader(path: place.index)
        let row = JobRow.sample("a", 1) { $0.labels = ["l": "1"] }
        try store.put(row)
        #expect(try reader.list(JobFilter()).isEmpty)
        try store.commit()
        #expect(try reader.list(JobFilter()) == [row])
        #expect(try reader.list(JobFilter(states: [.queued], limit: 1)) == [row])
        #expect(try reader.select(.labels(["l": "1"]), in: [.queued]) == [row])
        #expect(try reader.job(row.id) == row)
        #expect(try reader.counts() == [JobCount(queue: "default", state: .queued, count: 1)])
        try store.remove(row.id)
        try store.setFact("f", "v")
        try store.commit()
        #expect(try reader.list(JobFilter()).isEmpty)
        #expect(try reader.fact("f") == "v")
    }

    @Test func `a reader changes nothing`() throws {
        let store = try SQLiteJobStore(path: place.index)
        let connection = try Connection.openForReading(place.index)
        #expect(throws: IndexFault.self) { try connection.run("DELETE FROM jobs") }
        try store.put(.sample("a", 1))
        try store.commit()
    }

    @Test func `an index is read while no daemon runs`() throws {
        do {
            let store = try SQLiteJobStore(path: place.index)
            try store.put(.sample("a", 1))
            try store.commit()
        }
        #expect(try JobReader(path: place.index).list(JobFilter()).ids == ["a"])
        // And the next daemon is not hindered by what the reader left behind.
        #expect(try SQLiteJobStore(path: place.index).list(JobFilter()).ids == ["a"])
    }

    @Test func `where there is no index, a reader says so and makes none`() throws {
        #expect(throws: IndexFault.missing(path: place.index)) { try JobReader(path: place.index) }
        #expect(place.names.isEmpty)
    }
}
