import Foundation
import Glibc
import Synchronization
import Testing

@testable import SpoolWatch

extension DirectoryWatcherTests {
    @Test("When the kernel's queue overflows, everything is to be looked at, and the watches still work")
    func overflow() async throws {
        let scratch = Scratch(inMemory: true)
        let limit = try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
        let files = 4_000 + (Int(limit.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 16_384)
        let gate = Gate()
        let listener = try Listener(onHint: { _ in gate.pass() })
        let inbox = listener.watcher.watch(try scratch.directory("inbox"))
        await gate.reached()
        for number in 0..<files { scratch.write("inbox/\(number)") }
        try scratch.directory("later")
        let later = listener.watcher.watch(scratch["later"])
        gate.open()
        let taken = await listener.until { $0.scope == .everything }
        #expect(taken.last == .everything)
        #expect(scratch.count("inbox") == files)
        try scratch.drop("inbox/x.json")
        #expect(await listener.sees(inbox) { scratch.contains("inbox/x.json") })
        try scratch.drop("later/x.json")
        #expect(await listener.sees(later) { scratch.contains("later/x.json") })
        #expect(listener.notices.count == 1)
        #expect(listener.notices.first?.contains("Q_OVERFLOW") == true)
    }

    @Test("A directory lost during an overflow is found again")
    func lossDuringOverflow() async throws {
        let scratch = Scratch(inMemory: true)
        let gate = Gate()
        let listener = try Listener(onHint: { _ in gate.pass() })
        try scratch.directory("other")
        let inbox = listener.watcher.watch(try scratch.directory("inbox"))
        await gate.reached()
        for number in 0..<20_000 { scratch.write("inbox/\(number)") }
        try scratch.rename("inbox", to: "old")
        try scratch.directory("inbox")
        gate.open()
        await listener.until { $0.scope == .everything }
        try scratch.drop("inbox/x.json")
        #expect(await listener.sees(inbox) { scratch.contains("inbox/x.json") })
    }

    @Test("After the last hint of a burst of 50,000 files a look sees all of them")
    func burst() async throws {
        let scratch = Scratch(inMemory: true)
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("inbox"))
        let path = scratch["inbox"]
        let writer = Task.detached {
            for number in 0..<50_000 {
                close(open("\(path)/\(number)", O_WRONLY | O_CREAT, 0o600))
            }
        }
        // The last file gives the last hint; a look at it is cheap, one at all of them is not.
        #expect(await listener.sees(inbox) { scratch.contains("inbox/49999") })
        #expect(scratch.count("inbox") == 50_000)
        await writer.value
    }

    @Test("While a callback lingers, many events become one hint")
    func coalescing() async throws {
        let scratch = Scratch(inMemory: true)
        let gate = Gate()
        let counter = Counter()
        let inbox = WatchToken(try scratch.directory("inbox"))
        let listener = try Listener(onHint: { hint in
            if hint.scope == .directory(inbox) { counter.calls.withLock { $0 += 1 } }
            gate.pass()
        })
        listener.watcher.watch(inbox.path)
        await gate.reached()
        for number in 0..<1_000 { scratch.write("inbox/\(number)") }
        gate.open()
        await listener.settle(scratch)
        #expect(counter.calls.withLock { $0 } == 2)  // the one that lingered, and one for all the files
    }
}

final class Counter: Sendable {
    let calls = Mutex(0)
}

/// Stalls the watch thread in its first callback until it is opened.
final class Gate: Sendable {
    private let isReached = AsyncStream<Void>.makeStream()
    private let lock = DispatchSemaphore(value: 0)

    func pass() {
        isReached.continuation.yield()
        lock.wait()
        lock.signal()
    }

    func reached() async {
        for await _ in isReached.stream { break }
    }

    func open() { lock.signal() }
}
