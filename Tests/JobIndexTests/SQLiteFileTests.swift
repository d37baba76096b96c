import Foundation
import SpoolFormat
import Testing

@testable import JobIndex

/// The file itself: what it is when it is opened again, and what is done with one that is no index.
@Suite struct SQLiteFileTests {
    private let place: Place
    private var path: String { place.index }

    init() throws { place = try Place() }

    @Test func `an index that is opened again has what was committed, with its counts`() throws {
        let row = JobRow.sample("a", 1, .waiting) { $0.labels = ["l": "1"] }
        do {
            let store = try SQLiteJobStore(path: path)
            try store.put(row)
            try store.setFact("boot", "x")
            try store.commit()
            try store.put(.sample("uncommitted", 2))
        }
        let store = try SQLiteJobStore(path: path)
        #expect(try store.list(JobFilter()) == [row])
        #expect(try store.counts() == [JobCount(queue: "default", state: .waiting, count: 1)])
        #expect(try store.fact("boot") == "x")
    }

    @Test func `only the owner may read the files`() throws {
        _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o666])
        let store = try SQLiteJobStore(path: path)
        try store.put(.sample("a", 1))
        try store.commit()
        for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
            let mode = try Directory(place.path).status(name)?.mode
            #expect(mode == 0o600, "\(name)")
        }
    }

    @Test func `a file that is no database is damaged, is set aside, and a new one takes its place`() throws {
        let bytes = Array(repeating: UInt8(ascii: "x"), count: 8192)
        try Directory(place.path).write(bytes, to: "index.sqlite")
        let fault = #expect(throws: IndexFault.self) { try SQLiteJobStore(path: path) }
        #expect(fault?.isDamage == true)
        #expect("\(fault!)".contains("built again"))

        try Directory(place.path).write([1, 2, 3], to: "index.sqlite-wal")
        try Directory(place.path).write([1, 2, 3], to: "index.sqlite-shm")
        let name = "index.sqlite.damaged-2023-11-14T22-13-20.000Z"
        #expect(try SQLiteJobStore.setAside(path, at: .second(0)) == place.path + "/" + name)
        #expect(try Directory(place.path).read(name)?.bytes == bytes)
        #expect(place.names == [name, name + "-wal"])
        #expect(try SQLiteJobStore(path: path).counts().isEmpty)
    }

    @Test func `pages that were overwritten are damage too, whenever they are met`() throws {
        do {
            let store = try SQLiteJobStore(path: path)
            for index in 1...2000 { try store.put(.sample("job-\(index)", Int64(index))) }
            try store.commit()
        }
        // The log is gone with the last connection: all is in the database. Its first page stays whole.
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        let size = try handle.seekToEnd()
        for offset in stride(from: 8192, to: size, by: 4096) {
            try handle.seek(toOffset: offset)
            try handle.write(contentsOf: Data(repeating: 0xA5, count: 4096))
        }
        try handle.close()
        let fault = #expect(throws: IndexFault.self) {
            let store = try SQLiteJobStore(path: path)
            _ = try store.list(JobFilter())
            _ = try store.job(JobID("job-7")!)
        }
        #expect(fault?.isDamage == true)
    }

    @Test func `another program's database is left alone`() throws {
        let other = try Connection.open(path)
        try other.run("PRAGMA application_id = 7")
        let fault = #expect(throws: IndexFault.self) { try SQLiteJobStore(path: path) }
        #expect(fault == .damaged(path: path, reason: "it is another program's database"))
    }

    @Test func `an index with a migration that is not known is a newer one`() throws {
        do {
            let store = try SQLiteJobStore(path: path)
            try store.connection.run("INSERT INTO grdb_migrations VALUES ('999 later')")
        }
        #expect(throws: IndexFault.newer(path: path)) { try SQLiteJobStore(path: path) }
        #expect(throws: IndexFault.newer(path: path)) { try JobReader(path: path) }
        #expect("\(IndexFault.newer(path: path))".contains("upgrade"))
    }

    @Test func `an index that lacks a migration is brought up to date by the daemon, not by a reader`() throws {
        do {
            let store = try SQLiteJobStore(path: path)
            for table in ["jobs", "labels", "dependencies", "facts", "forgotten"] { try store.connection.run("DROP TABLE \(table)") }
            try store.connection.run("DELETE FROM grdb_migrations")
        }
        #expect(throws: IndexFault.older(path: path)) { try JobReader(path: path) }
        #expect(try SQLiteJobStore(path: path).counts().isEmpty)
        #expect(try JobReader(path: path).counts().isEmpty)
    }

    @Test func `a directory that is missing or closed is told as such`() throws {
        let fault = #expect(throws: IndexFault.self) { try SQLiteJobStore(path: place.path + "/none/index.sqlite") }
        #expect("\(fault!)".contains("No such file or directory"))
    }

    @Test func `after a change that failed, a batch can only be rolled back`() throws {
        let store = try SQLiteJobStore(path: path)
        try store.put(.sample("kept", 1))
        try store.commit()
        try store.put(.sample("lost", 2))
        try store.connection.run("DROP TABLE facts")
        #expect(throws: IndexFault.self) { try store.setFact("a", "b") }
        #expect(throws: IndexFault.brokenBatch(path: path)) { try store.put(.sample("later", 3)) }
        #expect(throws: IndexFault.brokenBatch(path: path)) { try store.commit() }
        try store.rollback()
        #expect(try store.list(JobFilter()).ids == ["kept"])
        try store.setFact("a", "b")
        try store.put(.sample("later", 3))
        try store.commit()
        #expect(try store.counts() == [JobCount(queue: "default", state: .queued, count: 2)])
    }

    @Test func `a disk that is full costs a batch and nothing else`() throws {
        let store = try SQLiteJobStore(path: path)
        for index in 1...100 { try store.put(.sample("job-\(index)", Int64(index))) }
        try store.commit()
        let counts = try store.counts()
        // SQLite ends the transaction by itself here, as it does on a full disk.
        try store.connection.run("PRAGMA max_page_count = 30")
        let fault = #expect(throws: IndexFault.self) {
            for index in 1...1000 { try store.put(.sample("more-\(index)", 1000 + Int64(index))) }
            try store.commit()
        }
        #expect("\(fault!)".contains("full"))
        #expect(throws: IndexFault.brokenBatch(path: path)) { try store.put(.sample("later", 3)) }
        try store.rollback()
        #expect(try store.list(JobFilter()).count == 100)
        #expect(try store.counts() == counts)
        try store.connection.run("PRAGMA max_page_count = 100000")
        for index in 1...1000 { try store.put(.sample("more-\(index)", 1000 + Int64(index))) }
        try store.commit()
        #expect(try store.list(JobFilter()).count == 1100)
    }
}

extension Connection {
    func run(_ text: String) throws { try each(text: text, { _ in }) { _ in true } }
}
