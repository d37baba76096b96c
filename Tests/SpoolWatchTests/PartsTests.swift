import Glibc
import Testing

@testable import SpoolWatch

@Suite struct AbsolutePathTests {
    @Test("A path ends with the name of its directory", arguments: [
        ("/a/b", "/a/b"), ("/a/b/", "/a/b"), ("/a/b/./", "/a/b"), ("/", "/"), ("//", "/"),
    ])
    func ends(_ given: String, _ text: String) { #expect(AbsolutePath(given).text == text) }

    @Test("A relative path starts at the working directory")
    func relative() { #expect(AbsolutePath("spool/inbox").text.hasSuffix("/spool/inbox")) }

    @Test("The way up leads to the root, the nearest first")
    func stepsUp() {
        let steps = AbsolutePath("/a//b/c").stepsUp
        #expect(steps.map(\.directory.text) == ["/a//b", "/a", "/"])
        #expect(steps.map { String(decoding: $0.name, as: UTF8.self) } == ["c", "b", "a"])
        #expect(AbsolutePath("/").stepsUp.isEmpty)
    }

    @Test("Only what has the whole name above it is beneath")
    func beneath() {
        #expect(AbsolutePath("/a/b").isBeneath(AbsolutePath("/a")))
        #expect(!AbsolutePath("/ab").isBeneath(AbsolutePath("/a")))
        #expect(!AbsolutePath("/a").isBeneath(AbsolutePath("/a")))
        #expect(AbsolutePath("/a").isBeneath(AbsolutePath("/")))
    }
}

@Suite struct HintMailboxTests {
    private let a = WatchToken("a")
    private let b = WatchToken("b")

    @Test("A directory has one hint waiting, in the place of its first")
    func coalesced() async {
        let mailbox = HintMailbox()
        for hint: WatchHint in [.directory(a), .directory(b), .directory(a, reopen: true), .directory(a)] {
            mailbox.put(hint)
        }
        #expect(await mailbox.next() == .directory(a, reopen: true))
        #expect(await mailbox.next() == .directory(b))
        mailbox.put(.directory(a))
        #expect(await mailbox.next() == .directory(a))
    }

    @Test("To look everywhere stands for every directory")
    func everything() async {
        let mailbox = HintMailbox()
        for hint: WatchHint in [.directory(a), .everything, .directory(b)] { mailbox.put(hint) }
        mailbox.finish()
        #expect(await mailbox.next() == .everything)
        #expect(await mailbox.next() == nil)
    }

    @Test("A cancelled reader gets no hint and takes none from the next one")
    func cancelled() async {
        let mailbox = HintMailbox()
        let reader = Task { await mailbox.next() }
        reader.cancel()
        #expect(await reader.value == nil)
        mailbox.put(.directory(a))
        #expect(await mailbox.next() == .directory(a))
    }
}

@Suite struct WatchErrorTests {
    @Test("An error says where it is and what to do", arguments: [
        (ENOSPC, "fs.inotify.max_user_watches"), (EACCES, "let this user read"), (ENOTDIR, "must be a directory itself"),
        (ENOENT, "watched as soon as it is there"),
    ])
    func advice(_ code: Int32, _ words: String) {
        let text = WatchError.cannotWatch(path: "/spool/inbox", errno: code).description
        #expect(text.hasPrefix("cannot watch /spool/inbox: ") && text.contains(words))
    }

    @Test("A failure to begin says which limit to raise")
    func beginning() {
        #expect(WatchError.unavailable(errno: EMFILE).description.contains("fs.inotify.max_user_instances"))
        #expect(WatchError.descriptorTooHigh(1_024).description.contains("below 1024"))
    }

    @Test("Only a directory that may be readable without a watch is polled")
    func polling() {
        #expect(WatchError.cannotWatch(path: "/x", errno: ENOSPC).callsForPolling)
        #expect(!WatchError.cannotWatch(path: "/x", errno: EACCES).callsForPolling)
        #expect(!WatchError.cannotWatch(path: "/x", errno: ENOENT).callsForPolling)
    }
}
