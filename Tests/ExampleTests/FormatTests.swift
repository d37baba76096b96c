import SpoolFormat
import Testing
import TestSupport

/// What stands in `examples/` is right, by the readers and by the schemas, and leaves nothing out.
@Suite struct FormatTests {
    @Test(arguments: try Repository.examples("tasks"))
    func aTaskIsTakenByTheReader(_ name: String) throws {
        _ = try TaskReader.read(try Repository.json("examples/tasks/\(name).json"))
    }

    @Test(arguments: try Repository.examples("queues"))
    func aQueueIsTakenByTheReader(_ name: String) throws {
        _ = try QueueConfiguration.read(try Repository.json("examples/queues/\(name).json"))
    }

    @Test(arguments: try Repository.examples("schedules"))
    func aScheduleIsTakenByTheReader(_ name: String) throws {
        let schedule = try ScheduleConfiguration.read(try Repository.json("examples/schedules/\(name).json"))
        if let cron = schedule.cron { #expect(try CronExpression(cron).canFire) }
        if let zone = schedule.timezone { _ = try ZoneRules.named(zone) }
    }

    /// A validator that knows nothing of Rouse, with the schemas that `rouse schema` prints.
    @Test(arguments: [("task", "tasks"), ("queue", "queues"), ("schedule", "schedules"), ("agent", "agents"), ("session", "sessions")])
    func examplesAreValidByTheSchema(_ schema: String, _ folder: String) throws {
        let script = """
            import glob, json, jsonschema, subprocess, sys
            validator = jsonschema.Draft202012Validator(json.loads(subprocess.check_output([sys.argv[1], "schema", sys.argv[2]])))
            # A file of hooks is the agent's own.
            for name in sorted(set(glob.glob(sys.argv[3] + "/*.json")) - set(glob.glob(sys.argv[3] + "/*-hooks.json"))):
                for error in validator.iter_errors(json.load(open(name, encoding="utf-8"))): print(name, error.message)
            """
        let (code, output) = Programs.run([
            "python3", "-c", script, Programs.rouse, schema, Repository.path + "/examples/" + folder,
        ])
        #expect(code == 0 && output.isEmpty, "\(output)")
    }

    @Test func everyVerbAndEveryFieldHasAnExample() throws {
        var used: Set<String> = []
        func note(_ task: JSON) {
            for member in task.object?.members ?? [] {
                used.insert(member.name)
                for inner in member.value.object?.members ?? [] { used.insert("\(member.name).\(inner.name)") }
                for element in member.name == "tasks" ? member.value.array ?? [] : [] { note(element) }
            }
        }
        for name in try Repository.examples("tasks") { note(try Repository.json("examples/tasks/\(name).json")) }
        let definitions = try #require(Schema.task["$defs"])
        let fields = try #require(definitions["options"]?["properties"]?.object).names
        #expect(fields.count > 20)
        var wanted = Set(Verb.names + fields)
        for name in ["backoff", "limits"] {
            wanted.formUnion(try #require(definitions[name]?["properties"]?.object).names.map { "\(name).\($0)" })
        }
        wanted.formUnion(["stdin.file"] + ControlVerb.allCases.flatMap { ["\($0.rawValue).queue", "\($0.rawValue).label"] })
        #expect(wanted.subtracting(used).isEmpty)
    }

    @Test func theConfigurationIsTakenByADaemon() throws {
        let spool = TestSpool()
        let daemon = TestDaemon(spool)
        var files: Set<String> = []
        for kind in ["queues", "schedules"] {
            for name in try Repository.examples(kind) {
                spool.configure("\(kind)/\(name)", try Repository.text("examples/\(kind)/\(name).json"))
                files.insert("\(kind)/\(name).json")
            }
        }
        var applied: Set<String> { Set(spool.events().filter { $0["event"]?.string == "config_applied" }.compactMap { $0["file"]?.string }) }
        #expect(spool.wait { applied.isSuperset(of: files) })
        #expect(!spool.events().contains { $0["event"]?.string == "config_refused" })
        #expect(["night", "stopped", "public", "group"].allSatisfy { spool.exists("inbox/\($0)") })
        #expect(try Directory(spool.path + "/inbox/public").status().mode & 0o7777 == 0o1733)
        #expect(daemon.stop() == 0)
    }

    @Test func theUnitIsInOrder() throws {
        guard Programs.run(["/bin/sh", "-c", "command -v systemd-analyze"]).code == 0 else { return }
        let spool = TestSpool()
        let unit = try Repository.text("examples/systemd/rouse.service").split(separator: "/usr/local/bin/rouse", maxSplits: 1)
        try #require(unit.count == 2)
        spool.write(unit.joined(separator: Programs.rouse), to: spool.path + "/rouse.service")
        let (code, output) = Programs.run(
            ["systemd-analyze", "--user", "--man=no", "verify", spool.path + "/rouse.service"],
            environment: ["XDG_RUNTIME_DIR": spool.path, "HOME": spool.path])
        #expect(code == 0 && !output.contains("rouse.service"), "\(output)")
    }
}
