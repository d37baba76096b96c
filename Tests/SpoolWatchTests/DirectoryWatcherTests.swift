import Glibc
import Testing

@testable import SpoolWatch

/// There can be one watcher in a process, so one test runs after the other.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct DirectoryWatcherTests {
    let scratch = Scratch()

    enum Arrival: CaseIterable { case renamed, linked, writtenInPlace }

    @Test("A file that arrives gives a hint after which it is seen", arguments: Arrival.allCases)
    func arrival(_ how: Arrival) async throws {
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("inbox"))
        switch how {
        case .renamed: try scratch.drop("inbox/x.json")
        case .linked: scratch.link("inbox/x.json")
        case .writtenInPlace: scratch.write("inbox/x.json")
        }
        #expect(await listener.sees(inbox) { scratch.contains("inbox/x.json") })
        #expect(listener.notices.isEmpty)
    }

    @Test("A file written in place gives a hint when it is closed")
    func closing() async throws {
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("inbox"))
        let descriptor = open(scratch["inbox/x.json"], O_WRONLY | O_CREAT, 0o600)
        #expect(await listener.sees(inbox) { scratch.contains("inbox/x.json") })
        close(descriptor)
        #expect(await listener.next() == .directory(inbox))
    }

    @Test("The first hint comes without an event, for what was there before")
    func firstLook() async throws {
        try scratch.directory("inbox")
        scratch.write("inbox/x.json")
        let listener = try Listener()
        let inbox = listener.watcher.watch(scratch["inbox"])
        #expect(await listener.next() == .directory(inbox, reopen: true))
    }

    @Test("A write to an open file gives a hint only to who asked for writes")
    func writes() async throws {
        for name in ["a", "b"] {
            try scratch.directory(name)
            scratch.write(name + "/log")
        }
        let logs = ["a/log", "b/log"].map { open(scratch[$0], O_WRONLY | O_APPEND) }
        let listener = try Listener()
        let (a, b) = (await listener.arm(scratch["a"]), await listener.arm(scratch["b"], for: .writes))
        for log in logs { #expect(write(log, "x", 1) == 1) }
        let taken = await listener.until { $0.scope == .directory(b) }
        #expect(!taken.contains { $0.scope == .directory(a) })
        // To close them is an arrival; the watcher must not see it before the check.
        for log in logs { close(log) }
    }

    @Test("A file that leaves gives a hint only to who asked for departures")
    func departures() async throws {
        for name in ["a", "b"] {
            try scratch.directory(name)
            scratch.write(name + "/x")
        }
        let listener = try Listener()
        let (a, b) = (await listener.arm(scratch["a"]), await listener.arm(scratch["b"], for: .departures))
        try scratch.remove("a/x")
        try scratch.remove("b/x")
        let taken = await listener.until { $0.scope == .directory(b) }
        #expect(!taken.contains { $0.scope == .directory(a) })
    }

    @Test("A directory that is no longer watched gives no hint")
    func unwatching() async throws {
        let listener = try Listener()
        let a = await listener.arm(try scratch.directory("a"))
        let b = await listener.arm(try scratch.directory("b"))
        listener.watcher.unwatch(a)
        let c = await listener.arm(try scratch.directory("c"))
        try scratch.drop("a/x")
        try scratch.drop("b/x")
        let taken = await listener.until { $0.scope == .directory(b) }
        #expect(!taken.contains { $0.scope == .directory(a) })
        #expect(c != a)
    }

    @Test("A directory above others that are watched still tells of its own files")
    func nested() async throws {
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("inbox"))
        let queue = await listener.arm(try scratch.directory("inbox/night"))
        try scratch.drop("inbox/x.json")
        #expect(await listener.sees(inbox) { scratch.contains("inbox/x.json") })
        try scratch.drop("inbox/night/y.json")
        #expect(await listener.sees(queue) { scratch.contains("inbox/night/y.json") })
        listener.watcher.unwatch(queue)
        try scratch.drop("inbox/z.json")
        #expect(await listener.sees(inbox) { scratch.contains("inbox/z.json") })
    }

    @Test("Names that differ only in how an é is composed are two directories")
    func composition() async throws {
        let listener = try Listener()
        let composed = await listener.arm(try scratch.directory("caf\u{E9}"))
        let decomposed = await listener.arm(try scratch.directory("cafe\u{301}"))
        #expect(composed != decomposed)
        try scratch.drop("caf\u{E9}/x")
        #expect(await listener.next() == .directory(composed))
        try scratch.drop("cafe\u{301}/x")
        #expect(await listener.next() == .directory(decomposed))
    }

    @Test("A link in the place of a directory is reported and not followed")
    func symbolicLink() async throws {
        try scratch.directory("elsewhere")
        #expect(symlink(scratch["elsewhere"], scratch["inbox"]) == 0)
        let listener = try Listener()
        listener.watcher.watch(scratch["inbox"])
        _ = await listener.arm(try scratch.directory("other"))
        #expect(listener.notices.count == 1)
        #expect(listener.notices.first?.contains("not a file or a symbolic link to one") == true)
    }
}
