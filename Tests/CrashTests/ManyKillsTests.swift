import CLinux
import Dispatch
import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Many writers, each with its own manners, and a daemon that is killed again and again.
@Suite struct ManyKillsTests {
    static let isFull = Thorough.isAskedFor
    static let drops = isFull ? 20_000 : 1600
    static let writers = 8
    static let kills = isFull ? 30 : 8

    @Test func whateverIsDroppedWhileTheDaemonIsKilledRunsOnceAndEndsOnce() throws {
        let scenario = Scenario()
        let spool = scenario.spool
        let started = Monotonic.now
        spool.configure("queues/default", #"{"slots": 8, "keep": {"count": 1000000}}"#)
        scenario.start()
        let path = spool.path
        let marks = scenario.marks.path
        let group = DispatchGroup()
        for writer in 0..<Self.writers {
            let thread = DispatchQueue(label: "writer \(writer)")
            group.enter()
            thread.async {
                for number in 0..<(Self.drops / Self.writers) { Writer.drop("w\(writer)-\(number)", manner: writer % 4, spool: path, marks: marks) }
                group.leave()
            }
        }
        for _ in 0..<Self.kills {
            // Not to wait for anything: to be somewhere else in its work each time.
            usleep(UInt32.random(in: 20_000...(Self.isFull ? 3_000_000 : 400_000)))
            scenario.daemon.kill9()
            scenario.start()
        }
        group.wait()
        let written = Monotonic.now
        #expect(spool.wait(seconds: 900) {
            scenario.keepAlive()
            return Self.count(path, ["done", "failed", "rejected"]) >= Self.drops
        })
        let places = ["done", "failed", "rejected", "waiting", "queued", "running", "inbox"].map { (name: $0, count: spool.list($0).count) }
        #expect(places.filter { $0.count > 0 }.map(\.name) == ["done"], "\(places)")
        // The program makes a directory and fails where it is there: so all have succeeded only if none ran twice.
        #expect(Set(spool.list("done")) == Set((0..<Self.writers).flatMap { writer in (0..<(Self.drops / Self.writers)).map { "w\(writer)-\($0)" } }))
        #expect(scenario.marks.all.count == Self.drops)
        #expect(spool.list("done").allSatisfy { spool.json("done/\($0)/result.json")?["attempts"]?.int == 1 })
        scenario.checkRest("many kills")
        let end = Monotonic.now
        print("\(Self.drops) drops by \(Self.writers) writers, \(Self.kills) kills: \(places); written in \(written - started) ms, all in \(end - started) ms")
    }

    static func count(_ path: String, _ directories: [String]) -> Int {
        directories.reduce(0) { $0 + (((try? Directory("\(path)/\($1)").entries().count) ?? 0)) }
    }
}

/// One way to put a file into an inbox.
enum Writer {
    static func drop(_ id: String, manner: Int, spool: String, marks: String) {
        let policy = id.hasSuffix("1") || id.hasSuffix("6") ? #", "on_crash": "fail""# : ""
        let text = Array(#"{"run": ["/usr/bin/mkdir", "\#(marks)/\#(id)"]\#(policy)}"#.utf8)
        let target = "\(spool)/inbox/\(id).json"
        let aside = "\(spool)/.\(id)"
        switch manner {
        case 0:
            write(text, to: aside)
            rename(aside, target)
        case 1:
            write(text, to: aside)
            link(aside, target)
            unlink(aside)
        case 2: write(text, to: target)
        default: write(text, to: target, slowly: true)
        }
    }

    private static func write(_ text: [UInt8], to path: String, slowly: Bool = false) {
        let file = rouse_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        precondition(file >= 0, "cannot write \(path): \(String(cString: strerror(errno)))")
        defer { close(file) }
        guard slowly else { return precondition(writeAll(text, to: file)) }
        for part in [text.prefix(1), text.dropFirst().prefix(20), text.dropFirst(21)] {
            precondition(writeAll(Array(part), to: file))
            // The pause is what this writer is about: the daemon sees the file half-written.
            usleep(3000)
        }
    }
}
