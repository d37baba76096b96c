import Testing

@testable import SpoolWatch

extension DirectoryWatcherTests {
    @Test("Without inotify every directory is hinted at again and again, and that is said once")
    func forcedPolling() async throws {
        let before = InotifyDescriptor.allInProcess()
        let listener = try Listener(WatchOptions(method: .poll, pollInterval: .milliseconds(5)))
        let inbox = listener.watcher.watch(try scratch.directory("inbox"))
        let later = listener.watcher.watch(scratch["later"])
        #expect(await listener.sees(inbox) { true })
        try scratch.drop("inbox/x.json")
        #expect(await listener.sees(inbox) { scratch.contains("inbox/x.json") })
        try scratch.directory("later")
        try scratch.drop("later/x.json")
        #expect(await listener.sees(later) { scratch.contains("later/x.json") })
        listener.watcher.unwatch(inbox)
        #expect(InotifyDescriptor.allInProcess() == before)
        #expect(listener.notices.count == 1)
    }
}

@Suite struct WatchOptionsTests {
    @Test("ROUSE_WATCH=poll asks for polling; nothing asks for inotify")
    func environment() {
        #expect(WatchOptions(environment: "poll").method == .poll)
        #expect(WatchOptions(environment: "inotify").method == .inotify)
        #expect(WatchOptions(environment: "").complaint == nil)
        #expect(WatchOptions(environment: nil).method == .inotify)
    }

    @Test("A value that means nothing is complained about, not obeyed")
    func nonsense() {
        let options = WatchOptions(environment: "pol")
        #expect(options.method == .inotify)
        #expect(options.complaint == "ROUSE_WATCH=pol means nothing; it can be inotify or poll, and is taken as inotify")
    }

    @Test("Without a polled directory there is no timer")
    func timer() {
        var timer = PollTimer(interval: .milliseconds(20))
        #expect(timer.timeout == -1)
        timer.run(true)
        #expect((0...20).contains(timer.timeout))
        timer.run(false)
        #expect(timer.timeout == -1 && !timer.fire())
    }
}

@Suite struct EventlessFileSystemTests {
    @Test("File systems that others can change are polled; local ones are not", arguments: [
        (0x6969, "NFS"), (0x0102_1997, "9p"), (0x6573_5546, "FUSE"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB2"),
        (0xEF53, nil), (0x0102_1994, nil), (0x794C_7630, nil), (0x9123_683E, nil), (0x5846_5342, nil),
    ] as [(Int64, String?)])
    func known(type: Int64, name: String?) { #expect(EventlessFileSystem(type: type)?.name == name) }

    @Test("The type of a directory that is there is told from one that is not")
    func asked() { #expect(EventlessFileSystem(of: AbsolutePath("/nowhere")) == nil) }
}
