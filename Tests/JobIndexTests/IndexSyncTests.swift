import Foundation
import SpoolFormat
import Synchronization
import Testing

@testable import JobIndex

@Suite struct IndexSyncTests {
    private let place: Place

    init() throws { place = try Place() }

    private func synced(_ sync: IndexSync) async -> Result<Void, SystemFault> {
        await withCheckedContinuation { done in sync.request { done.resume(returning: $0) } }
    }

    @Test func `a request is answered when the log is synced`() async throws {
        let store = try SQLiteJobStore(path: place.index)
        let sync = IndexSync(path: place.index)
        for index in 1...3 {
            try store.put(.sample("job-\(index)", Int64(index)))
            try store.commit()
            try await synced(sync).get()
        }
        sync.stop()
    }

    @Test func `many requests are all answered, in their order`() async throws {
        let store = try SQLiteJobStore(path: place.index)
        try store.put(.sample("a", 1))
        try store.commit()
        let sync = IndexSync(path: place.index)
        let answers = Mutex<[Int]>([])
        for number in 1...1000 { sync.request { _ in answers.withLock { $0.append(number) } } }
        sync.request()
        sync.stop()
        #expect(answers.withLock { $0 } == Array(1...1000))
    }

    @Test func `without a log there is nothing to sync`() async throws {
        let sync = IndexSync(path: place.index)
        try await synced(sync).get()
        sync.stop()
    }

    @Test func `a log that was removed and made again is followed`() async throws {
        let sync = IndexSync(path: place.index)
        for round in 1...3 {
            let store = try SQLiteJobStore(path: place.index)
            try store.put(.sample("job-\(round)", Int64(round)))
            try store.commit()
            try await synced(sync).get()
            let log = try #require(try Directory(place.path).status("index.sqlite-wal"))
            #expect(openFiles().contains { $0 == place.index + "-wal" }, "the log \(log.inode) is open")
            withExtendedLifetime(store) {}
        }
        // The last store is closed and its log removed: the descriptor is let go with the next look.
        try await synced(sync).get()
        #expect(!openFiles().contains { $0.hasPrefix(place.index + "-wal") })
        sync.stop()
    }

    @Test func `a failure is told, and no later sync calls the lost pages safe`() async throws {
        try FileManager.default.createSymbolicLink(atPath: place.index + "-wal", withDestinationPath: "/dev/null")
        let sync = IndexSync(path: place.index)
        #expect(throws: SystemFault.self) { try awaitable(sync).get() }
        try FileManager.default.removeItem(atPath: place.index + "-wal")
        #expect(throws: SystemFault.self) { try awaitable(sync).get() }
        sync.stop()
        try awaitable(IndexSync(path: place.index)).get()
    }

    @Test func `after stop, a request is refused at once`() throws {
        let sync = IndexSync(path: place.index)
        sync.stop()
        sync.stop()
        #expect(throws: SystemFault("sync", place.index, errno: ECANCELED)) { try awaitable(sync).get() }
    }

    @Test func `opening and closing the log leaves SQLite's locks alone`() throws {
        let store = try SQLiteJobStore(path: place.index)
        try store.put(.sample("a", 1))
        let before = try locks()
        #expect(before.count >= 2, "the open batch holds locks: \(before)")
        for _ in 1...3 {
            let sync = IndexSync(path: place.index)
            try awaitable(sync).get()
            sync.stop()
        }
        #expect(try locks() == before)
        try store.commit()

        // The same with the database itself does drop them, which is why nothing in the daemon may do it.
        try store.put(.sample("b", 2))
        _ = try Directory(place.path).read("index.sqlite")
        #expect(try locks() != before)
        try store.rollback()
    }

    /// The answer to one request, waited for on this thread.
    private func awaitable(_ sync: IndexSync) -> Result<Void, SystemFault> {
        let answer = Mutex<Result<Void, SystemFault>?>(nil)
        let done = DispatchSemaphore(value: 0)
        sync.request { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return answer.withLock { $0! }
    }

    private func openFiles() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0) }
    }

    /// The POSIX locks that this process has on the files of the index, as the kernel lists them.
    private func locks() throws -> [String] {
        let directory = try Directory(place.path)
        let inodes = try ["", "-shm", "-wal"].compactMap { try directory.status("index.sqlite" + $0)?.inode }
        return try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n")
            .filter { line in inodes.contains { line.contains(":\($0) ") } }
            .map { $0.drop { $0 != " " }.description }.sorted()
    }
}
