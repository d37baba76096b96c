import Glibc
import SpoolFormat
import Testing
import TestSupport

/// A file system that fills while tasks arrive, run and end.
@Suite struct FullDiskTests {
    @Test func aFullDiskIsSaidOnceLosesNothingAndIsLeftAsSoonAsThereIsRoom() throws {
        guard let disk = SmallDisk(megabytes: 6) else {
            Issue.record("mount is not permitted here: the test of a full disk needs root")
            return
        }
        let marks = Marks()
        let spool = TestSpool(in: disk.path)
        let words = marks.path + "/words"
        let gate = marks.path + "/gate"
        mkfifo(gate, 0o600)
        let daemon = TestDaemon(spool, output: words)
        // One that has ended, one that runs when the disk is full, some that arrive then: moved in, which takes no room.
        spool.drop("before", #"{"run": ["true"]}"#)
        #expect(spool.finished("before")?["outcome"]?.string == "succeeded")
        spool.drop("during", #"{"run": "mkdir \#(marks.path)/during; read x < \#(gate); exit 0", "on_crash": "fail"}"#)
        #expect(spool.wait { marks.all.contains("during") })
        spool.drop("due", #"{"run": ["true"], "delay": "1s"}"#)
        #expect(spool.reaches("waiting", "due"))
        let late = (0..<20).map { "late-\($0)" }
        for id in late { spool.write(#"{"run": ["mkdir", "\#(marks.path)/\#(id)"], "on_crash": "fail"}"#, to: "\(spool.path)/.\(id)") }
        disk.fill()
        for id in late { rename("\(spool.path)/.\(id)", "\(spool.path)/inbox/\(id).json") }
        let writer = open(gate, O_WRONLY)
        close(writer)
        let said = { Self.lines(words).filter { $0.contains("No space left") }.count }
        #expect(spool.wait { said() > 0 })

        // Full for a while: nothing is lost, nothing is said again, and the daemon does not turn in circles.
        let before = Self.processorTime(daemon.pid)
        #expect(!spool.wait(seconds: 4) { said() > 1 || !daemon.isRunning })
        let spent = Self.processorTime(daemon.pid) - before
        #expect(spent < 60, "\(spent * 10) ms of processor time in 4 s")
        #expect(late.allSatisfy { spool.exists("inbox/\($0).json") || spool.exists(".staging/\($0)") || spool.state(of: $0) != nil })

        disk.empty()
        #expect(spool.wait(seconds: 60) { (late + ["during", "due"]).allSatisfy { spool.exists("done/\($0)") } }, "\(Self.lines(words)) \((late + ["during"]).map { ($0, spool.state(of: $0) ?? "nowhere") }) \(spool.list("inbox")) \(spool.text("running/during/run.json") ?? "-") \(spool.events().suffix(8).map { JSONWriter.text($0) })")
        #expect(marks.all == (late + ["during", "gate", "words"]).sorted())
        #expect(late.allSatisfy { spool.result(of: $0)?["attempts"]?.int == 1 })
        #expect(spool.wait { spool.events().contains { $0["event"]?.string == "unstalled" } })
        #expect(spool.events().filter { $0["event"]?.string == "stalled" }.count == 1)
        #expect(spool.events().filter { $0["event"]?.string == "unstalled" }.count == 1)
        #expect(said() == 1)
        #expect(Self.lines(words).filter { $0.contains("it works again") }.count == 1)
        #expect(spool.text("done/before/result.json")?.isEmpty == false)
        #expect(daemon.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
        spool.remove()
    }

    /// Started on a full disk, or killed on one, a daemon goes on all the same.
    @Test func aDaemonThatIsKilledOnAFullDiskGoesOnWhenThereIsRoom() throws {
        guard let disk = SmallDisk(megabytes: 6) else {
            Issue.record("mount is not permitted here: the test of a full disk needs root")
            return
        }
        let marks = Marks()
        let spool = TestSpool(in: disk.path)
        var daemons = [TestDaemon(spool, output: marks.path + "/words")]
        spool.configure("queues/default", #"{"slots": 2}"#)
        spool.drop("again", #"{"run": ["true"]}"#)
        #expect(spool.finished("again") != nil)
        let late = (0..<10).map { "late-\($0)" }
        for id in late { spool.write(#"{"run": ["mkdir", "\#(marks.path)/\#(id)"], "on_crash": "fail"}"#, to: "\(spool.path)/.\(id)") }
        spool.write(#"{"tasks": [{"run": ["mkdir", "\#(marks.path)/batch.0"]}, {"run": ["mkdir", "\#(marks.path)/batch.1"]}]}"#, to: "\(spool.path)/.batch")
        disk.fill()
        for id in late + ["batch"] { rename("\(spool.path)/.\(id)", "\(spool.path)/inbox/\(id).json") }
        rename("\(spool.path)/done/again", "\(spool.path)/inbox/again")
        // It is killed before it may have looked, while it can't write, and again at its start.
        for _ in 0..<3 {
            daemons.last!.kill9()
            daemons.append(TestDaemon(spool, output: marks.path + "/words", waitsUntilReady: false))
            #expect(spool.wait { Self.lines(marks.path + "/words").filter { $0.contains("No space left") }.count >= daemons.count - 1 })
        }
        daemons.last!.kill9()
        disk.empty()
        daemons.append(TestDaemon(spool, output: marks.path + "/words"))
        #expect(spool.wait { (late + ["again", "batch", "batch.0", "batch.1"]).allSatisfy { spool.exists("done/\($0)") } }, "\(Self.lines(marks.path + "/words"))")
        #expect(marks.all == (late + ["batch.0", "batch.1", "words"]).sorted())
        #expect(spool.result(of: "again")?["attempts"]?.int == 2)
        #expect(spool.list("rejected").isEmpty)
        #expect(daemons.last!.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
        spool.remove()
    }

    private static func lines(_ path: String) -> [Substring] {
        let slash = path.lastIndex(of: "/")!
        let bytes = (try? Directory(String(path[..<slash])).read(String(path[path.index(after: slash)...]))?.bytes) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// In ticks of 10 ms.
    static func processorTime(_ pid: Int32) -> Int {
        let text = (try? Directory("/proc/\(pid)").read("stat")?.bytes).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        return fields.count > 12 ? (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0) : 0
    }
}

/// A file system of a few megabytes, of its own.
final class SmallDisk {
    let path: String

    init?(megabytes: Int) {
        var template = Array("/tmp/rouse-disk-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard mount("rouse-test", path, "tmpfs", 0, "size=\(megabytes)m,nr_inodes=100k") == 0 else {
            rmdir(path)
            return nil
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }

    /// Takes all the room that is left.
    func fill() {
        let file = open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(file) }
        for size in [1 << 16, 4096] {
            let block = [UInt8](repeating: 0, count: size)
            while write(file, block, size) == size {}
        }
    }

    func empty() { unlink(path + "/filler") }
}
