import CLinux
import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct HostileEntryTests {
    private static let task = #"{"run": ["true"]}"#

    @Test func whatIsNoRegularFileIsRejectedAndNotFollowed() throws {
        let spool = TestSpool()
        let target = spool.path("target.json")
        spool.write(Self.task, to: target)
        let daemon = TestDaemon(spool)
        symlink(target, spool.path("inbox/link.json"))
        symlink("/dev/zero", spool.path("inbox/zero.json"))
        symlink(spool.path("inbox"), spool.path("inbox/circle"))
        mkfifo(spool.path("inbox/fifo.json"), 0o600)
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: spool.path("inbox/socket.json").utf8) }
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        #expect(bound == 0)
        var expected = [("link", "a symbolic link"), ("zero", "a symbolic link"), ("circle", "a symbolic link"), ("fifo", "a FIFO"), ("socket", "a socket")]
        // A container may not allow devices.
        if mknod(spool.path("inbox/device.json"), S_IFCHR | 0o600, 0x0103) == 0 { expected.append(("device", "a device")) }
        mkdir(spool.path("inbox/not a queue"), 0o700)
        for (name, words) in expected {
            let rejection = try #require(spool.rejection(of: name), "\(name)")
            #expect(rejection["code"]?.string == "not_a_file", "\(name)")
            #expect(rejection["message"]?.string?.contains(words) == true, "\(name)")
        }
        #expect(spool.rejection(of: "not a queue")?["code"]?.string == "not_a_job")
        #expect(spool.text("target.json") == Self.task)
        spool.drop("good", Self.task)
        #expect(spool.outcome("good") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func aFileWithASecondNameIsTakenFromItsOwnerAndNotFromOthers() throws {
        guard geteuid() == 0 else { return }
        let spool = TestSpool()
        spool.configure("queues/default", #"{"accept": {"uids": [0, 4711]}}"#)
        let daemon = TestDaemon(spool)
        for (name, uid) in [("own", UInt32(0)), ("foreign", 4711)] {
            let file = spool.path("\(name)-kept")
            spool.write(#"{"run": ["echo", "before"]}"#, to: file)
            chown(file, uid, uid)
            #expect(link(file, spool.path("inbox/\(name).json")) == 0)
        }
        #expect(spool.rejection(of: "foreign")?["code"]?.string == "second_name")
        #expect(spool.outcome("own") == "succeeded")
        // What was accepted is frozen, whoever still has the file.
        spool.write("something else", to: spool.path("own-kept"))
        #expect(spool.json("done/own/task.json")?["run"] == ["echo", "before"])
        #expect(daemon.stop() == 0)
    }

    @Test func linkAndUnlinkIsADropLikeEveryOther() {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        for index in 0..<20 {
            let file = spool.path(".staging/.link-\(index)")
            spool.write(Self.task, to: file)
            #expect(link(file, spool.path("inbox/l\(index).json")) == 0)
            unlink(file)
        }
        for index in 0..<20 { #expect(spool.outcome("l\(index)") == "succeeded") }
        #expect(spool.list("rejected").isEmpty)
        #expect(daemon.stop() == 0)
    }

    @Test func aFileOfTenGigabytesIsRejectedUnread() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let file = rouse_open(spool.path(".staging/.huge"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        #expect(ftruncate(file, 10 << 30) == 0)
        close(file)
        #expect(spool.move(".staging/.huge", to: "inbox/huge.json"))
        #expect(spool.rejection(of: "huge")?["code"]?.string == "too_large")
        #expect(spool.rejection(of: "huge")?["hint"]?.string?.contains("resource_link") == true)
        let task = #"{"run": ["true"], "stdin": "\#(String(repeating: "x", count: Defaults.taskBytes))"}"#
        spool.drop("over", task)
        #expect(spool.rejection(of: "over")?["code"]?.string == "too_large")
        spool.drop("limit", String(repeating: " ", count: Defaults.taskBytes - Self.task.utf8.count) + Self.task)
        #expect(spool.outcome("limit") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func anUnreadableFileIsRejected() throws {
        // Root reads everything, so the daemon runs as somebody else.
        guard geteuid() == 0 else { return }
        let spool = TestSpool()
        Programs.run(["chown", "-R", "4711:4711", spool.path])
        let user = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        guard Programs.run(user + [Programs.rouse, "--help"]).code == 0 else { return }
        // It may not write to the socket on which the test would hear that it is ready.
        let daemon = TestDaemon(spool, wrapper: user, waitsUntilReady: false)
        #expect(spool.tells("daemon_started"), "\(daemon.output)")
        let file = spool.path(".staging/.closed")
        spool.write(Self.task, to: file)
        chown(file, 4711, 4711)
        chmod(file, 0o000)
        #expect(spool.move(".staging/.closed", to: "inbox/closed.json"))
        #expect(spool.rejection(of: "closed")?["code"]?.string == "unreadable")
        // A file of root's that the daemon's user may read.
        spool.write(Self.task, to: spool.path(".staging/.open"), mode: 0o644)
        chmod(spool.path(".staging/.open"), 0o644)
        #expect(spool.move(".staging/.open", to: "inbox/open.json"))
        #expect(spool.outcome("open") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func strangeNamesAreTakenUnderAnIdThatIsLegal() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let long = String(repeating: "n", count: 250)
        spool.drop("\(long).json", #"{"run": ["true"], "labels": {"n": "long"}}"#)
        spool.drop("ä b.json", #"{"run": ["true"], "labels": {"n": "umlaut"}}"#)
        spool.drop("-x.json", #"{"run": ["true"], "labels": {"n": "hyphen"}}"#)
        let bytes: [UInt8] = Array(spool.path("inbox/").utf8) + [0xFF, 0xFE, 0x41] + Array(".json".utf8) + [0]
        spool.write(#"{"run": ["true"], "labels": {"n": "latin"}}"#, to: spool.path(".staging/.latin"))
        let moved = bytes.withUnsafeBytes { rename(spool.path(".staging/.latin"), $0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
        #expect(moved == 0)
        #expect(spool.wait { spool.list("done").count == 4 })
        let labels = Set(spool.list("done").compactMap { spool.json("done/\($0)/task.json")?["labels"]?["n"]?.string })
        #expect(labels == ["long", "umlaut", "hyphen", "latin"])
        for id in spool.list("done") { #expect(JobID(id) != nil) }
        // Bad ones of such names are rejected with a reason beside them.
        spool.drop("\(String(repeating: "m", count: 250)).json", "{}")
        spool.write("{}", to: spool.path(".staging/.latin"))
        _ = bytes.withUnsafeBytes { rename(spool.path(".staging/.latin"), $0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
        #expect(spool.wait { spool.list("rejected").count == 4 && spool.list("rejected").filter { $0.hasSuffix(".error.json") }.count == 2 })
        #expect(daemon.stop() == 0)
    }

    @Test func aNameThatIsTakenGetsASuffix() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        for round in 1...3 {
            spool.drop("same", Self.task)
            #expect(spool.wait { spool.list("done").count == round })
        }
        let ids = spool.list("done")
        #expect(ids.contains("same"))
        #expect(ids.allSatisfy { $0 == "same" || $0.hasPrefix("same-") })
        for _ in 1...2 { spool.drop("bad", "{}"); #expect(spool.wait { spool.list("inbox").isEmpty }) }
        #expect(spool.wait { spool.list("rejected").count == 4 })
        #expect(daemon.stop() == 0)
    }

    @Test func temporaryNamesAreLeftAlone() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let names = [".x.json", "#x.json", "x.json~", "x.json.tmp", "x.part", ".x.json.swp", "x.swp"]
        for name in names { spool.drop(name, Self.task) }
        spool.drop("notes.txt", Self.task)
        spool.drop("noextension.JSON", Self.task)
        let rejection = try #require(spool.rejection(of: "notes.txt"))
        #expect(rejection["code"]?.string == "wrong_name")
        #expect(rejection["hint"]?.string?.contains("notes.txt.json") == true)
        #expect(spool.rejection(of: "noextension.JSON")?["code"]?.string == "wrong_name")
        daemon.send(SIGUSR1)
        spool.drop("good", Self.task)
        #expect(spool.outcome("good") == "succeeded")
        #expect(Set(try Directory(spool.path("inbox")).entries().map(\.name.display)) == Set(names))
        // A temporary file that gets its true name is a drop.
        #expect(spool.move("inbox/x.json.tmp", to: "inbox/x.json"))
        #expect(spool.outcome("x") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func anEmptyFileIsRejectedOnceItHasSettled() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let before = Timestamp.now
        spool.write("", to: spool.path("inbox/empty.json"))
        let rejection = try #require(spool.rejection(of: "empty"))
        #expect(rejection["code"]?.string == "empty_file")
        let at = try #require(rejection["at"]?.string.flatMap { Timestamp($0) })
        #expect((at - before).milliseconds >= Defaults.settle.milliseconds)
        #expect(daemon.stop() == 0)
    }

    @Test func aFileThatIsWrittenInPlaceWithPausesIsTakenWhenItIsWhole() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        let text = Array(#"{"run": ["echo", "whole"], "labels": {"a": "b"}}"#.utf8)
        // The pauses are longer than it takes to settle; the writer keeps the file open.
        let writers = (0..<3).map { index in
            Programs.spawn(["sh", "-c", """
                exec > '\(spool.path)/inbox/w\(index).json'
                printf '{"run": ["echo", '; sleep 1.6; printf '"whole"], "labels": '; sleep 0.3; printf '{"a": "b"}'; sleep 1.3; printf '}'
                """])
        }
        // One that opens it anew for each part, faster than it settles.
        let appender = Programs.spawn(["sh", "-c", "f='\(spool.path)/inbox/append.json'; for p in '{\"run\"' ': [\"echo\",' ' \"whole\"' ']' '}'; do printf '%s' \"$p\" >> \"$f\"; sleep 0.4; done"])
        // One byte at a time.
        let file = rouse_open(spool.path("inbox/bytes.json"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        for byte in text { #expect(writeAll([byte], to: file)) }
        close(file)
        for id in ["bytes", "append", "w0", "w1", "w2"] {
            #expect(spool.outcome(id) == "succeeded", "\(id): \(spool.text("rejected/\(id).error.json") ?? "")")
            #expect(spool.text("done/\(id)/log") == "whole\n")
        }
        for pid in writers + [appender] { var status: Int32 = 0; waitpid(pid, &status, 0) }
        #expect(spool.list("rejected").isEmpty)
        #expect(daemon.stop() == 0)
    }

    @Test func aFileThatIsReplacedOrGrowsWhileItIsTakenHasOneOutcome() throws {
        let spool = TestSpool()
        spool.pause()
        let daemon = TestDaemon(spool)
        let replacer = Programs.spawn(["sh", "-c", """
            cd '\(spool.path)/inbox'; i=0
            while [ $i -lt 300 ]; do i=$((i+1)); printf '{"run": ["echo", "%s"]}' $i > .r; mv .r r.json; done
            """])
        let grower = Programs.spawn(["sh", "-c", """
            cd '\(spool.path)/inbox'; i=0
            while [ $i -lt 100 ]; do i=$((i+1)); printf '{"run": ' > g.json; printf '["echo", "%s"]' $i >> g.json; printf '}' >> g.json; done
            """])
        for pid in [replacer, grower] { var status: Int32 = 0; waitpid(pid, &status, 0); #expect(status == 0) }
        #expect(spool.wait { spool.list("inbox").isEmpty && spool.list(".staging").isEmpty })
        // The last version of each is taken, no earlier one is lost half-way, and each taken file is one of those written.
        let runs = spool.list("queued").compactMap { id in spool.json("queued/\(id)/task.json").map { (id, $0["run"]) } }
        #expect(runs.count == spool.list("queued").count)
        #expect(runs.contains { $0.0.hasPrefix("r") && $0.1 == ["echo", "300"] })
        for (id, _) in runs {
            let drop = try #require(spool.json("queued/\(id)/drop.json"))
            #expect(drop["run"] == spool.json("queued/\(id)/task.json")?["run"])
        }
        #expect(daemon.stop() == 0)
    }
}
