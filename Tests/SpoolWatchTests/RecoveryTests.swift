import Foundation
import Glibc
import Testing

@testable import SpoolWatch

extension DirectoryWatcherTests {
    @Test("A directory that is deleted and made again is watched again", arguments: [false, true])
    func remade(heldOpen: Bool) async throws {
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("inbox"))
        // Who holds the directory open keeps the kernel from telling that it is gone.
        let holder = heldOpen ? opendir(scratch["inbox"]) : nil
        defer { if let holder { closedir(holder) } }
        try scratch.remove("inbox")
        await listener.until { $0 == .directory(inbox, reopen: true) }
        try scratch.directory("inbox")
        await listener.until { $0 == .directory(inbox, reopen: true) }
        try scratch.drop("inbox/x.json")
        #expect(await listener.sees(inbox) { scratch.contains("inbox/x.json") })
    }

    @Test("A directory that is made again with a file in it at once gives a hint after which the file is seen")
    func remadeWithContent() async throws {
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("inbox"))
        for round in 0..<200 {
            try scratch.remove("inbox")
            #expect(mkdir(scratch["inbox"], 0o700) == 0)
            scratch.write("inbox/\(round)")
            #expect(await listener.sees(inbox) { scratch.contains("inbox/\(round)") })
        }
    }

    @Test("A directory renamed away and replaced is left for the one in its place")
    func replaced() async throws {
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("inbox"))
        let other = await listener.arm(try scratch.directory("other"))
        try scratch.directory("new")
        scratch.write("new/x.json")
        try scratch.rename("inbox", to: "old")
        try scratch.rename("new", to: "inbox")
        #expect(await listener.sees(inbox) { scratch.contains("inbox/x.json") })
        await listener.settle(scratch)
        try scratch.drop("old/y.json")
        try scratch.drop("other/y.json")
        let taken = await listener.until { $0.scope == .directory(other) }
        #expect(!taken.contains { $0.scope == .directory(inbox) })
        try scratch.drop("inbox/z.json")
        #expect(await listener.sees(inbox) { scratch.contains("inbox/z.json") })
    }

    @Test("Two directories exchanged in one step are both watched where they are now")
    func exchanged() async throws {
        let listener = try Listener()
        let a = await listener.arm(try scratch.directory("a"))
        let b = await listener.arm(try scratch.directory("b"))
        try scratch.rename("a", to: "c")
        try scratch.rename("b", to: "a")
        try scratch.rename("c", to: "b")
        var missing: Set = [a, b]
        await listener.until { hint in
            if hint.reopen, case .directory(let token) = hint.scope { missing.remove(token) }
            return missing.isEmpty
        }
        await listener.settle(scratch)
        try scratch.drop("a/x")
        #expect(await listener.next() == .directory(a))
        try scratch.drop("b/x")
        #expect(await listener.next() == .directory(b))
    }

    @Test("A path that is not there is watched when it appears", arguments: ["inbox", "spool/inbox", "a/b/c/d"])
    func appearsLater(_ name: String) async throws {
        let listener = try Listener()
        let inbox = listener.watcher.watch(scratch[name])
        await listener.settle(scratch)
        try scratch.directory(name)
        #expect(await listener.sees(inbox) { scratch.contains(name) })
        try scratch.drop(name + "/x.json")
        #expect(await listener.sees(inbox) { scratch.contains(name + "/x.json") })
        #expect(listener.notices.isEmpty)
    }

    @Test("A whole spool that is deleted while all of it is held open, and made again, is watched again")
    func remadeTree() async throws {
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("spool/inbox"))
        _ = await listener.arm(scratch["spool"])
        let holders = ["spool", "spool/inbox"].map { opendir(scratch[$0]) }
        defer { for holder in holders { closedir(holder!) } }
        try scratch.remove("spool")
        await listener.until { $0 == .directory(inbox, reopen: true) }
        try scratch.directory("spool/inbox")
        #expect(await listener.sees(inbox) { scratch.contains("spool/inbox") })
        try scratch.drop("spool/inbox/x.json")
        #expect(await listener.sees(inbox) { scratch.contains("spool/inbox/x.json") })
    }

    @Test("To verify finds a directory far above that was replaced")
    func verifying() async throws {
        let listener = try Listener()
        let inbox = await listener.arm(try scratch.directory("a/b/c/inbox"))
        try scratch.directory("other/b/c/inbox")
        try scratch.rename("a", to: "old")
        try scratch.rename("other", to: "a")
        listener.watcher.verify()
        #expect(await listener.next() == .directory(inbox, reopen: true))
        try scratch.drop("a/b/c/inbox/x.json")
        #expect(await listener.sees(inbox) { scratch.contains("a/b/c/inbox/x.json") })
    }
}

extension Listener {
    /// Returns when all that was asked of the watcher so far, and every event so far, has been dealt with, and the hints
    /// of it have been taken. The first watch ends in a round that may give other hints after its own; the second is of
    /// a later round.
    func settle(_ scratch: Scratch) async {
        for _ in 0..<2 {
            guard let path = try? scratch.directory("settle-\(UUID())") else { return }
            watcher.unwatch(await arm(path))
        }
    }
}
