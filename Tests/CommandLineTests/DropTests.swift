import Glibc
import SpoolFormat
import TestSupport
import Testing

@Suite struct DropTests {
    let spool = TestSpool()

    private func dropped(_ id: String, queue: String? = nil) throws -> TaskFile {
        let name = "inbox/" + (queue.map { $0 + "/" } ?? "") + id + ".json"
        return try TaskReader.read(try JSONReader.read(try #require(spool.text(name))))
    }

    @Test func aCommandBecomesATask() throws {
        let answer = Shell(spool, directory: "/usr").rouse("drop", "--", "make", "--jobs", "2", "--", "all")
        #expect(answer.code == 0)
        let id = try #require(answer.lines.first)
        #expect(answer.lines.count == 1 && JobID(id) != nil && id.count <= 16)
        let task = try dropped(id)
        #expect(task.verb == .run(["make", "--jobs", "2", "--", "all"]))
        #expect(task.options.cwd == "/usr")
        #expect(spool.names("inbox") == [id + ".json"])
        let mode = try Directory(spool.path + "/inbox").status(id + ".json")?.mode
        #expect(mode == 0o600)
        #expect(answer.errors.contains("no daemon is running"))
    }

    @Test func generatedIDsSortByTime() {
        let ids = (0..<5).flatMap { _ in Shell(spool).rouse("drop", "--", "true").lines }
        #expect(Set(ids).count == 5 && ids == ids.sorted())
    }

    @Test func everyFieldHasAnOption() throws {
        let answer = Shell(spool, directory: "/tmp", environment: ["HERE": "from here"]).rouse(
            "drop", "--id", "all", "--queue", "night", "--priority", "-7", "--key", "k", "--on-duplicate", "replace",
            "--after", "a", "--after", "b", "--after-failed", "run", "--not-before", "2026-11-21T22:00:00Z",
            "--expires-in", "2h", "--timeout", "5m", "--grace", "3s", "--retries", "2",
            "--backoff", "base=1s,factor=3,max=1m,jitter=0.5", "--cwd", "sub", "--env", "A=1=2", "--env", "HERE",
            "--env-file", "SECRET=/run/secret", "--stdin-file", "in.txt", "--on-crash", "fail", "--reply-to", "out.json",
            "--limit", "memory=512M", "--limit", "cpu_seconds=9", "--limit", "open_files=64", "--limit", "processes=8",
            "--limit", "log_bytes=1M", "--label", "a=b", "--label", "c=d=e", "--parent", "mother", "-c", "echo $HOME")
        #expect(answer.code == 0, "\(answer.errors)")
        var expected = TaskOptions()
        expected.queue = "night"
        expected.priority = -7
        expected.key = "k"
        expected.onDuplicate = .replace
        expected.after = [.name("a"), .name("b")]
        expected.afterFailed = .run
        expected.notBefore = Timestamp("2026-11-21T22:00:00Z")
        expected.expiresIn = .hours(2)
        expected.timeout = .minutes(5)
        expected.grace = .seconds(3)
        expected.retries = 2
        var backoff = Backoff()
        backoff.base = .seconds(1)
        backoff.factor = 3
        backoff.max = .minutes(1)
        backoff.jitter = 0.5
        expected.backoff = backoff
        expected.cwd = "/tmp/sub"
        expected.env = ["A": .text("1=2"), "HERE": .text("from here"), "SECRET": .file("/run/secret")]
        expected.stdin = .file("/tmp/in.txt")
        expected.onCrash = .fail
        expected.replyTo = "/tmp/out.json"
        var limits = Limits()
        limits.memory = 512 << 20
        limits.cpuSeconds = 9
        limits.openFiles = 64
        limits.processes = 8
        limits.logBytes = 1 << 20
        expected.limits = limits
        expected.labels = ["a": "b", "c": "d=e"]
        expected.parent = "mother"
        let task = try dropped("all")
        #expect(task.options == expected)
        #expect(task.verb == .run(["/bin/sh", "-c", "echo $HOME"]))
    }

    @Test(arguments: [("--expires-at", "2026-11-21T22:00:00Z"), ("--delay", "90s"), ("--stdin", "-x"), ("--priority", "urgent")])
    func moreFieldsHaveAnOption(option: String, value: String) throws {
        #expect(Shell(spool).rouse("drop", "--id", "one", option, value, "--own-directory", "--", "cat").code == 0)
        let options = try dropped("one").options
        #expect(options.cwd == nil)
        switch option {
        case "--expires-at": #expect(options.expiresAt == Timestamp(value))
        case "--delay": #expect(options.delay == .seconds(90))
        case "--stdin": #expect(options.stdin == .text("-x"))
        default: #expect(options.priority == 100)
        }
    }

    @Test func standardInputIsTakenAsTheTaskOrForTheJob() throws {
        let text = "{\"run\": \"a\",\n \"labels\": {\"x\": \"y\"}}\n"
        for arguments in [["drop"], ["drop", "-"]] {
            let answer = Shell(spool).rouse(arguments, input: text)
            #expect(answer.code == 0)
            #expect(spool.text("inbox/\(answer.lines[0]).json") == text)
        }
        #expect(Shell(spool).rouse(["drop", "--id", "x", "--stdin-file", "-", "--", "cat"], input: "für\0dich").code == 0)
        #expect(try dropped("x").options.stdin == .text("für\0dich"))
        let binary = Shell(spool).start(["drop", "--stdin-file", "/bin/ls", "--id", "y", "--", "cat"]).end()
        #expect(binary.code == 0)
    }

    @Test func aFileKeepsItsNameWhereItIsFree() throws {
        spool.write(#"{"run": ["true"]}"#, to: spool.path + "/lint.json")
        let first = Shell(spool).rouse("drop", spool.path + "/lint.json")
        #expect(first.lines == ["lint"])
        let second = Shell(spool).rouse("drop", spool.path + "/lint.json")
        #expect(second.lines.count == 1 && second.lines[0].hasPrefix("lint-"))
        spool.make("build", .done)
        spool.write(#"{"run": ["true"]}"#, to: spool.path + "/build.json")
        let third = Shell(spool).rouse("drop", spool.path + "/build.json")
        #expect(third.lines[0].hasPrefix("build-"))
        #expect(spool.names("inbox").count == 3)
    }

    @Test func nothingIsOverwritten() {
        #expect(Shell(spool).rouse("drop", "--id", "x", "-c", "first").code == 0)
        let before = spool.text("inbox/x.json")
        let second = Shell(spool).rouse("drop", "--id", "x", "-c", "second")
        #expect(second.code == 73 && second.errors.contains("x is taken"))
        #expect(spool.text("inbox/x.json") == before)
        spool.make("y", .running)
        #expect(Shell(spool).rouse("drop", "--id", "y", "--", "true").code == 73)
        spool.write("{", to: spool.path + "/rejected/z.json")
        #expect(Shell(spool).rouse("drop", "--id", "z", "--", "true").code == 0)
    }

    @Test func ofManyWithOneNameOneWins() {
        let all = (0..<8).map { Shell(spool).start(["drop", "--id", "same", "-c", "echo \($0)"]) }
        let codes = all.map { $0.end().code }.sorted()
        #expect(codes == [0] + Array(repeating: 73, count: 7))
        #expect(spool.names("inbox") == ["same.json"])
    }

    @Test func aQueueIsAnInboxOrAField() throws {
        mkdir(spool.path + "/inbox/night", 0o700)
        #expect(Shell(spool).rouse("drop", "--id", "a", "--queue", "night", "--", "true").code == 0)
        #expect(try dropped("a", queue: "night").options.queue == nil)
        #expect(Shell(spool).rouse("drop", "--id", "b", "--queue", "day", "--", "true").code == 0)
        #expect(try dropped("b").options.queue == "day")
        // The name is taken in another inbox.
        #expect(Shell(spool).rouse("drop", "--id", "a", "--", "true").code == 73)
    }

    @Test func optionsGoOverWhatAFileSays() throws {
        let text = #"{"run": ["true"], "timeout": "1m", "env": {"A": "1", "B": "2"}, "parent": "own"}"#
        let shell = Shell(spool, environment: ["ROUSE_JOB_ID": "mother"])
        #expect(shell.rouse(["drop", "--id", "x", "--timeout", "2m", "--env", "B=3"], input: text).code == 0)
        let options = try dropped("x").options
        #expect(options.timeout == .minutes(2) && options.env == ["A": .text("1"), "B": .text("3")])
        #expect(options.parent == "own")
        #expect(shell.rouse(["drop", "--id", "y"], input: #"{"cancel": "z"}"#).code == 0)
        #expect(try dropped("y").options.parent == "mother")
        #expect(shell.rouse("drop", "--id", "w", "--", "true").code == 0)
        #expect(try dropped("w").options.parent == "mother")
    }

    @Test(arguments: [
        (#"{"run": ["a"],}"#, "1:15", "comma"), ("{\n  \"run\": [\"a\"],\n  \"timeot\": \"1s\"\n}", "3:3", "did you mean \"timeout\"?"),
        ("{\"run\": [\"a\"], \"timeout\": 90}", "1:27", "write \"90s\" for 90 seconds"), ("", "1:1", "empty"), ("{}", "1:1", "verb"),
        ("{\"run\": \"a\", \"run\": \"b\"}", "1:14", "twice"),
    ])
    func aBadTaskIsToldAtOnce(text: String, place: String, words: String) {
        let answer = Shell(spool).rouse(["drop"], input: text)
        #expect(answer.code == 65)
        #expect(answer.errors.contains("standard input:\(place):"), "\(answer.errors)")
        #expect(answer.errors.contains(words), "\(answer.errors)")
        #expect(answer.output.isEmpty && spool.names("inbox").isEmpty)
    }

    @Test func oneBadFileOfManyDropsNone() {
        spool.write(#"{"run": "a"}"#, to: spool.path + "/good.json")
        spool.write(#"{"ran": "a"}"#, to: spool.path + "/bad.json")
        let answer = Shell(spool, directory: spool.path).rouse("drop", "good.json", "bad.json")
        #expect(answer.code == 65 && answer.errors.contains("bad.json:1:2:") && answer.errors.contains("did you mean \"run\"?"))
        #expect(spool.names("inbox").isEmpty)
        #expect(Shell(spool, directory: spool.path).rouse("drop", "good.json", "missing.json").code == 66)
        #expect(spool.names("inbox").isEmpty)
    }

    @Test func aTaskThatIsTooLongIsRefused() {
        let text = "{\"run\": \"a\", \"stdin\": \"" + String(repeating: "x", count: Defaults.taskBytes) + "\"}"
        #expect(Shell(spool).rouse(["drop"], input: text).code == 65)
    }

    @Test(arguments: [
        ["--timeout", "5x", "--", "true"], ["--retries", "many", "--", "true"], ["--priority", "1000", "--", "true"],
        ["--on-crash", "explode", "--", "true"], ["--delay", "1h", "--not-before", "2026-11-21T22:00:00Z", "--", "true"],
        ["--env", "NO_SUCH_VARIABLE_HERE", "--", "true"], ["--env", "=x", "--", "true"], ["--limit", "memory", "--", "true"],
        ["--limit", "momory=5", "--", "true"], ["--backoff", "base", "--", "true"], ["--id", "../x", "--", "true"],
        ["--cwd", "/", "--own-directory", "--", "true"], ["--stdin", "a", "--stdin-file", "b", "--", "true"],
        ["x.json", "--", "true"], ["-c", "true", "--", "true"], ["--id", "a", "x.json", "y.json"], ["-", "-"], ["--nonsense"],
        ["--queue", "a/b", "--", "true"], ["--", ""],
    ])
    func badOptionsAreFaultsOfUsage(arguments: [String]) {
        let answer = Shell(spool).rouse(["drop"] + arguments, input: #"{"run": "a"}"#)
        #expect(answer.code == 64, "\(answer.code) \(answer.errors)")
        #expect(!answer.errors.isEmpty && spool.names("inbox").isEmpty)
    }

    @Test func whatIsExpectedIsSaidOnce() {
        for (words, expected) in [(["--queue", "a/b"], "a queue's name"), (["--delay", "soon"], "a duration such as"), (["--priority", "1000"], "a whole number from")] {
            let answer = Shell(spool).rouse(["drop"] + words + ["--", "true"])
            #expect(answer.code == 64 && answer.errors.components(of: expected) == 1, "\(answer.errors)")
        }
    }

    @Test func withADaemonThereIsNothingToSay() {
        let daemon = TestDaemon(spool)
        let answer = Shell(spool, environment: ["ROUSE_PATIENCE": "120s"]).rouse("drop", "--json", "--id", "x", "--", "true")
        #expect(answer.code == 0 && answer.errors.isEmpty)
        #expect(answer.json == ["id": "x", "file": .string(spool.path + "/inbox/x.json")])
        #expect(daemon.stop() == 0)
    }

    @Test func anotherUserCanReadWhatIsDroppedForThem() throws {
        try #require(geteuid() == 0, "needs root, to give an inbox to another user")
        mkdir(spool.path + "/inbox/theirs", 0o700)
        chown(spool.path + "/inbox/theirs", 12345, 12345)
        #expect(Shell(spool).rouse("drop", "--queue", "theirs", "--id", "x", "--", "true").code == 0)
        #expect(try Directory(spool.path + "/inbox/theirs").status("x.json")?.mode == 0o644)
    }
}
