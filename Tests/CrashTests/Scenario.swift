import CLinux
import Glibc
import SpoolFormat
import Testing
import TestSupport

/// Tasks of every kind from their drop to their end, whatever happens to the daemon on the way: when it is gone,
/// another one is started, without faults.
final class Scenario {
    let spool = TestSpool()
    /// Where the programs leave a directory `<id>.<attempt>` each: outside of the spool, made by one call.
    let marks: Marks
    private lazy var revived = RevivedDaemon(spool) { [unowned self] in describe() }

    init() { marks = Marks() }

    var daemon: TestDaemon { revived.daemon }
    var kills: Int { revived.kills }

    func start(wrapper: [String] = []) { revived.start(wrapper: wrapper) }
    func keepAlive() { revived.keepAlive() }

    /// Waits for a step of the scenario, with a daemon that lives. After one step that never came no other is waited for.
    func wait(_ what: String, for condition: () -> Bool) { revived.wait(what, for: condition) }

    /// What there is to see after a failure.
    func describe() -> String {
        let states = (JobState.allCases.map(\.rawValue) + ["inbox", "rejected"]).map { "\($0): \(spool.list($0))" }
        let staged = (try? Directory(spool.path + "/.staging").entries().map(\.name.display)) ?? []
        return (states + ["staging: \(staged)", "marks: \(marks.all)", "archived: \(archived)"] + spool.events().suffix(60).map { JSONWriter.text($0) }).joined(separator: "\n")
    }

    private func task(_ id: String, _ options: String = "", script: String = "") {
        spool.drop(id, #"{"run": "mkdir \"\#(marks.path)/$ROUSE_JOB_ID.$ROUSE_ATTEMPT\"\#(script)"\#(options)}"#)
    }

    private func isDone(_ ids: String...) -> Bool { ids.allSatisfy { spool.exists("done/\($0)") } }
    private func hasFailed(_ ids: String...) -> Bool { ids.allSatisfy { spool.exists("failed/\($0)") } }
    private func attempts(of id: String) -> Int? { spool.json("done/\(id)/result.json")?["attempts"]?.int }

    /// Plays everything. What must be true after it, `check` knows.
    func play(wrapper: [String]) {
        spool.configure("queues/brief", #"{"keep": {"count": 0}}"#)
        task("plain")
        task("once", #", "on_crash": "fail""#)
        start(wrapper: wrapper)
        task("flaky", #", "retries": 1, "backoff": {"base": "10ms", "jitter": 0}"#, script: "; exit 3")
        let mark = #"mkdir \"\#(marks.path)/$ROUSE_JOB_ID.$ROUSE_ATTEMPT\""#
        spool.drop("batch", #"{"tasks": [{"run": "\#(mark)"}, {"run": "\#(mark)", "after": [0]}]}"#)
        task("late", #", "delay": "1h""#)
        task("keyed-1", #", "delay": "1h", "key": "k""#)
        task("reply", #", "reply_to": "\#(marks.path)/reply.json""#)
        task("expiring", #", "after": ["nothing"], "expires_in": "50ms""#)
        task("again")
        spool.drop("bad", #"{"run": 5}"#)
        spool.drop("brief", #"{"run": "\#(mark)", "queue": "brief"}"#)
        wait("the first step") {
            isDone("plain", "once", "batch", "batch.0", "batch.1", "reply", "again") && hasFailed("flaky", "expiring")
                && ["late", "keyed-1"].allSatisfy { spool.exists("waiting/\($0)") }
                && spool.exists("rejected/bad.error.json") && (spool.exists("done/brief") || archived.count == 1)
        }
        // Finished jobs are forgotten at a sweep, and at the start.
        daemon.send(SIGUSR1)
        spool.drop("hold-late", #"{"hold": "late"}"#)
        task("keyed-2", #", "key": "k", "on_duplicate": "replace""#)
        rename(spool.path + "/done/again", spool.path + "/inbox/again")
        wait("the second step") {
            isDone("hold-late", "keyed-2") && hasFailed("keyed-1") && attempts(of: "again") == 2
        }
        spool.drop("stop-late", #"{"cancel": "late"}"#)
        spool.drop("retry-plain", #"{"retry": "plain"}"#)
        wait("the third step") { isDone("stop-late", "retry-plain") && hasFailed("late") && attempts(of: "plain") == 2 && archived.count == 1 }
    }

    var archived: [String] {
        spool.list("archive").compactMap { spool.text("archive/\($0)") }.joined().split(separator: "\n").map { line in
            (try? JSONReader.read(Array(line.utf8)))?["id"]?.string ?? "torn: \(line)"
        }
    }

    // MARK: what must be true

    /// Outcome and attempts of every job.
    private static let outcomes: [String: (String, Int)] = [
        "plain": ("succeeded", 2), "once": ("succeeded", 1), "flaky": ("failed", 2), "batch": ("succeeded", 1),
        "batch.0": ("succeeded", 1), "batch.1": ("succeeded", 1), "late": ("cancelled", 0), "keyed-1": ("superseded", 0),
        "keyed-2": ("succeeded", 1), "reply": ("succeeded", 1), "expiring": ("expired", 0), "again": ("succeeded", 2),
        "hold-late": ("succeeded", 1), "stop-late": ("succeeded", 1), "retry-plain": ("succeeded", 1),
    ]
    private static let expectedMarks = [
        "again.1", "again.2", "batch.0.1", "batch.1.1", "brief.1", "flaky.1", "flaky.2", "keyed-2.1", "once.1", "plain.1", "plain.2", "reply.1",
    ]

    /// - Parameter exactly: only the daemon was killed, so nothing may be different from a life without crashes.
    func check(exactly: Bool = true, _ label: String) {
        guard !revived.patienceIsOver else { return }
        keepAlive()
        let places = JobState.allCases.flatMap { state in spool.list(state.rawValue).map { ($0, state.rawValue) } }
        for (id, states) in Dictionary(grouping: places, by: \.0) where states.count > 1 {
            Issue.record("\(label): \(id) is in \(states.map(\.1))")
        }
        #expect(Set(places.map(\.0)) == Set(Self.outcomes.keys), "\(label)")
        #expect(spool.list("rejected") == ["bad.error.json", "bad.json"], "\(label)")
        #expect(archived == ["brief"], "\(label)")
        for (id, expected) in Self.outcomes {
            let result = spool.result(of: id)
            let outcome = result?["outcome"]?.string
            let attempts = result?["attempts"]?.int ?? -1
            if exactly {
                #expect(outcome == expected.0, "\(label): \(id) \(result.map { JSONWriter.text($0) } ?? "")")
                #expect(attempts == expected.1, "\(label): \(id)")
            } else {
                #expect(outcome == expected.0 || outcome == "lost", "\(label): \(id)")
            }
            // What an attempt has left is kept, the last one's in the job's directory.
            if attempts > 1 { #expect(spool.list("\(spool.state(of: id) ?? "")/\(id)/attempts") == (1..<attempts).map(String.init), "\(label): \(id)") }
        }
        if exactly {
            #expect(marks.all.filter { $0 != "reply.json" } == Self.expectedMarks, "\(label)")
            #expect(marks.all.contains("reply.json"), "\(label)")
        } else {
            #expect(marks.all.filter { $0.hasPrefix("once.") }.count <= 1, "\(label)")
        }
        checkRest(label)
    }

    /// What is true of every spool at rest: nothing on its way, no process, and an index that says what the files say.
    func checkRest(_ label: String) {
        // What could not be removed at once goes at the next sweep.
        wait("\(label): an empty .staging") {
            if !stagedNames.isEmpty { daemon.send(SIGUSR1) }
            return stagedNames.isEmpty
        }
        // The point may lie in the daemon's last commit, or in its end.
        var code = daemon.stop()
        if code == 128 + Int(SIGKILL) {
            revived.start(afterKill: true)
            code = daemon.stop()
        }
        #expect(code == 0, "\(label)")
        let before = Programs.rouse(["list", "--json"], on: spool)
        #expect(before.code == 0, "\(label)")
        for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] { unlink("\(spool.path)/\(name)") }
        start()
        let after = Programs.rouse(["list", "--json"], on: spool)
        let difference = after.output.split(separator: "\n").difference(from: before.output.split(separator: "\n"))
        #expect(difference.isEmpty, "\(label): the index and the files differ")
        #expect(daemon.stop() == 0, "\(label)")
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty }, "\(label): \(Programs.processes(ofSpool: spool.path))")
    }

    var stagedNames: [String] { (try? Directory(spool.path + "/.staging").entries().map(\.name.display)) ?? [] }
}

/// Where programs under test leave a sign that they were run.
final class Marks {
    let path: String

    init() {
        var template = Array("/tmp/rouse-marks-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? Directory("/tmp").removeTree(String(path.dropFirst("/tmp/".count))) }

    /// Their names, sorted.
    var all: [String] { ((try? Directory(path).entries()) ?? []).map(\.name.display).sorted() }
}

/// Milliseconds of a clock that nobody sets.
enum Monotonic {
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
