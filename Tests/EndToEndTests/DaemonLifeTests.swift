import Glibc
import SpoolFormat
import Testing
import TestSupport

@Suite struct DaemonLifeTests {
    @Test func aSecondDaemonSaysWhoServesAndLeaves() {
        let spool = TestSpool()
        let first = TestDaemon(spool)
        let (code, output) = Programs.run([Programs.rouse, "serve", "--spool", spool.path])
        #expect(code == 75)
        #expect(output.contains("\(first.pid)"))
        // By another path, too.
        let link = spool.path + "-link"
        symlink(spool.path, link)
        defer { unlink(link) }
        #expect(Programs.run([Programs.rouse, "serve", "--spool", link]).code == 75)
        spool.drop("job", #"{"run": ["true"]}"#)
        #expect(spool.outcome("job") == "succeeded")
        #expect(first.stop() == 0)
        let next = TestDaemon(spool)
        #expect(next.isRunning)
        #expect(next.stop() == 0)
    }

    @Test func whatIsNoSpoolIsNotServed() {
        let (code, output) = Programs.run([Programs.rouse, "serve", "--spool", "/tmp/rouse-is-not-here"])
        #expect(code == 66)
        #expect(output.contains("rouse init"))
        var template = Array("/tmp/rouse-empty-XXXXXX".utf8CString)
        let path = String(cString: mkdtemp(&template)!)
        defer { rmdir(path) }
        #expect(Programs.run([Programs.rouse, "serve", "--spool", path]).code == 66)
        #expect((try? Directory(path).entries().isEmpty) == true)
    }

    @Test func anIndexOfANewerVersionIsLeftAlone() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("job", #"{"run": ["true"]}"#)
        #expect(spool.outcome("job") == "succeeded")
        #expect(daemon.stop() == 0)
        let change = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('insert into grdb_migrations values(?)', ('v999',)); c.commit()"
        guard Programs.run(["python3", "-c", change, spool.path("index.sqlite")]).code == 0 else { return }
        let (code, output) = Programs.run([Programs.rouse, "serve", "--spool", spool.path])
        #expect(code == 65, "\(output)")
        #expect(output.contains("newer"), "\(output)")
        #expect(spool.exists("index.sqlite"))
    }

    @Test func aDamagedIndexIsSetAsideAndBuiltAnew() throws {
        let spool = TestSpool()
        let first = TestDaemon(spool)
        spool.drop("job", #"{"run": ["true"]}"#)
        spool.drop("later", #"{"run": ["true"], "delay": "1h"}"#)
        #expect(spool.outcome("job") == "succeeded" && spool.reaches("waiting", "later"))
        #expect(first.stop() == 0)
        let before = Programs.rouse(["list", "--json"], on: spool).output
        // The log beside it may hold every page, and then nothing is lost.
        for name in ["index.sqlite-wal", "index.sqlite-shm"] { unlink(spool.path(name)) }
        spool.write(String(repeating: "this is no database ", count: 500), to: spool.path("index.sqlite"))
        let second = TestDaemon(spool)
        #expect(Programs.rouse(["list", "--json"], on: spool).output == before)
        #expect(second.output.contains("built anew"))
        #expect(try Directory(spool.path).entries().contains { $0.name.display.contains("damaged") })
        spool.drop("next", #"{"run": ["true"], "after": ["job"]}"#)
        #expect(spool.outcome("next") == "succeeded")
        #expect(second.stop() == 0)
    }

    @Test func aStopLeavesJobsRunning() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let first = TestDaemon(spool)
        spool.drop("job", #"{"run": "\#(gate.wait); echo end"}"#)
        #expect(spool.tells("started", of: "job") && spool.reaches("running", "job"))
        #expect(first.stop() == 0)
        #expect(spool.exists("running/job"))
        #expect(!Programs.processes(ofSpool: spool.path).isEmpty)
        #expect(spool.json("daemon/daemon.json")?["running"]?.bool == false)
        let second = TestDaemon(spool)
        gate.open()
        #expect(spool.outcome("job") == "succeeded")
        #expect(spool.text("done/job/log") == "end\n")
        #expect(second.stop(SIGINT) == 0)
        #expect(spool.wait(seconds: 30) { Programs.processes(ofSpool: spool.path).isEmpty })
    }

    private static func text(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), let directory = try? Directory(String(path[..<slash])) else { return "" }
        return ((try? directory.read(String(path[path.index(after: slash)...])) ?? nil)?.bytes).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    @Test func whatIsMadeInAdvanceIsUsedAndNotLeftBehind() throws {
        let spool = TestSpool()
        func blanks(of user: String) -> [String] {
            ((try? Directory(spool.path("daemon/.blanks")).entries()) ?? []).map(\.name.display).filter { $0.hasPrefix(user) }
        }
        /// All of them have all that they want.
        func isStocked() -> Bool {
            let runners = Programs.processes(ofSpool: spool.path).filter { Self.text("/proc/\($0)/comm") == "rouse-runner\n" }
            return blanks(of: "daemon").count == 6 && !runners.isEmpty && runners.allSatisfy { blanks(of: "runner-\($0)-").count == 2 }
        }
        let first = TestDaemon(spool)
        for number in 0..<3 {
            let inodes = Set((try? Directory(spool.path("daemon/.blanks")))?.inodes() ?? [])
            spool.drop("job-\(number)", #"{"run": ["true"]}"#)
            #expect(spool.outcome("job-\(number)") == "succeeded")
            #expect(spool.list("done/job-\(number)") == ["drop.json", "exit.json", "log", "result.json", "run.json", "task.json", "work"])
            if number > 0 {
                let job = try Directory(spool.path("done/job-\(number)"))
                for name in ["task.json", "run.json", "log", "work"] { #expect(try inodes.contains(#require(try job.status(name)).inode), "\(name)") }
                #expect(inodes.contains(try job.status().inode))
            }
            #expect(spool.wait { isStocked() })
        }
        first.kill9()
        #expect(spool.wait { blanks(of: "runner").isEmpty })
        let second = TestDaemon(spool)
        #expect(blanks(of: "daemon").isEmpty)
        #expect(second.stop() == 0)
        #expect(spool.wait { blanks(of: "").isEmpty })
    }

    @Test func aDrainWaitsForWhatRunsAndStartsNothingMore() throws {
        let spool = TestSpool()
        spool.configure("queues/default", #"{"slots": 1}"#)
        let gate = Gate(spool)
        let daemon = TestDaemon(spool, arguments: ["--drain"])
        spool.drop("runs", #"{"run": "\#(gate.wait)"}"#)
        spool.drop("waits", #"{"run": ["true"]}"#)
        #expect(spool.reaches("running", "runs") && spool.reaches("queued", "waits"))
        daemon.send(SIGTERM)
        #expect(spool.wait(seconds: 30) { daemon.output.contains("waiting for 1 running job") })
        #expect(daemon.isRunning)
        gate.open()
        #expect(daemon.exitCode() == 0)
        #expect(spool.result(of: "runs")?["outcome"]?.string == "succeeded")
        #expect(spool.exists("queued/waits"))
        #expect(Programs.processes(ofSpool: spool.path).isEmpty)
    }

    @Test func duringADrainVerbsAreObeyedAndItIsToldWhatIsLeft() throws {
        let spool = TestSpool()
        let gate = Gate(spool)
        let daemon = TestDaemon(spool, arguments: ["--drain"])
        spool.drop("hangs", #"{"run": ["sleep", "1000"]}"#)
        spool.drop("ends", #"{"run": "\#(gate.wait)"}"#)
        #expect(spool.reaches("running", "hangs") && spool.reaches("running", "ends"))
        daemon.send(SIGTERM)
        #expect(spool.wait(seconds: 30) { daemon.output.contains("waiting for 2 running jobs") })
        spool.drop("new", #"{"run": ["true"]}"#)
        #expect(spool.reaches("queued", "new"))
        #expect(Programs.rouse(["hold", "new"], on: spool).code == 0)
        #expect(Programs.rouse(["cancel", "hangs"], on: spool).code == 0)
        #expect(spool.outcome("hangs") == "cancelled")
        #expect(spool.wait(seconds: 30) { daemon.output.contains("waiting for 1 running job\n") })
        gate.open()
        #expect(daemon.exitCode() == 0)
        #expect(spool.outcome("ends") == "succeeded")
        #expect(spool.exists("waiting/new") && !spool.started.contains("new"))
    }

    @Test func aSecondSignalEndsADrain() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool, arguments: ["--drain"])
        spool.drop("runs", #"{"run": ["sleep", "1000"]}"#)
        #expect(spool.reaches("running", "runs"))
        daemon.send(SIGTERM)
        #expect(spool.wait(seconds: 30) { daemon.output.contains("waiting for 1 running job") })
        daemon.send(SIGTERM)
        #expect(daemon.exitCode() == 0)
        #expect(spool.exists("running/runs"))
    }

    @Test func aKillEndsWhatRuns() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool, arguments: ["--kill"])
        spool.drop("runs", #"{"run": "trap '' TERM; echo in; while :; do sleep 1000; done", "grace": "300ms"}"#)
        #expect(spool.wait { spool.text("running/runs/log") == "in\n" })
        #expect(daemon.stop() == 0)
        #expect(spool.result(of: "runs")?["outcome"]?.string == "cancelled")
        #expect(Programs.processes(ofSpool: spool.path).isEmpty)
    }

    @Test func whileItIsPausedNothingStarts() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.pause()
        #expect(spool.tells("paused"))
        spool.drop("job", #"{"run": ["true"]}"#)
        spool.drop("verb", #"{"hold": "job"}"#)
        // Verbs act all the same.
        #expect(spool.outcome("verb") == "succeeded")
        spool.drop("free", #"{"release": "job"}"#)
        #expect(spool.outcome("free") == "succeeded")
        #expect(spool.reaches("queued", "job"))
        #expect(spool.wait(seconds: 30) { spool.json("daemon/daemon.json")?["paused"]?.bool == true })
        #expect(spool.started.isEmpty)
        spool.unpause()
        #expect(spool.outcome("job") == "succeeded")
        #expect(daemon.stop() == 0)
    }

    @Test func theStatusFilesAreWellFormed() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        spool.drop("good", #"{"run": ["true"]}"#)
        spool.drop("bad", #"{"run": ["false"], "queue": "odd.queue"}"#)
        spool.drop("late", #"{"run": ["true"], "delay": "1h"}"#)
        #expect(spool.outcome("good") == "succeeded" && spool.outcome("bad") == "failed" && spool.reaches("waiting", "late"))
        func metrics() -> [String: Int] {
            var values: [String: Int] = [:]
            for line in (spool.text("daemon/metrics.prom") ?? "").split(separator: "\n") where !line.hasPrefix("#") {
                let parts = line.split(separator: " ")
                if parts.count == 2, let value = Int(parts[1]) { values[String(parts[0])] = value }
            }
            return values
        }
        #expect(spool.wait(seconds: 30) { metrics()[#"rouse_finished_total{outcome="succeeded"}"#] == 1 && metrics()["rouse_accepted_total"] == 3 })
        #expect(metrics()[#"rouse_jobs{queue="odd.queue",state="failed"}"#] == 1)
        #expect(metrics()[#"rouse_jobs{queue="default",state="waiting"}"#] == 1)
        let text = try #require(spool.text("daemon/metrics.prom"))
        var families: Set<Substring> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE ") {
                #expect(families.insert(words[2]).inserted && ["gauge", "counter"].contains(words[3]))
            } else if !line.hasPrefix("# HELP ") {
                #expect(words.count == 2 && Double(words[1]) != nil, "\(line)")
                #expect(families.contains(line.prefix { $0 != "{" && $0 != " " }), "\(line)")
            }
        }
        let status = try #require(spool.json("daemon/daemon.json"))
        #expect(status["pid"]?.int == Int(daemon.pid))
        #expect(status["running"]?.bool == true)
        #expect(status["queues"]?["default"]?["done"]?.int == 1)
        for name in ["started_at", "heartbeat_at"] { #expect(status[name]?.string.flatMap { Timestamp($0) } != nil) }
        #expect(daemon.stop() == 0)
        #expect(metrics().first { $0.key.hasPrefix("rouse_up") }?.value == 0)
        // Every line of the events is an object that says when and what.
        let lines = spool.list("events").flatMap { (spool.text("events/\($0)") ?? "").split(separator: "\n") }
        #expect(lines.count == 9)
        for line in lines {
            let event = try JSONReader.read(Array(line.utf8))
            #expect(event["at"]?.string.flatMap { Timestamp($0) } != nil)
            #expect(event["event"]?.string?.isEmpty == false)
        }
        let life = spool.events(of: "good").compactMap { $0["event"]?.string }
        #expect(life == ["accepted", "started", "finished"])
    }
}

extension Directory {
    /// Of all that is in it.
    fileprivate func inodes() -> [UInt64] { ((try? entries()) ?? []).compactMap { try? status($0.name)?.inode } }
}
