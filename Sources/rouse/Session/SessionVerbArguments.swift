import ArgumentParser
import SpoolFormat

/// What the commands share that act on sessions: which ones, and how they are told what came of it.
struct SessionVerbArguments: ParsableArguments {
    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("Names of sessions.", valueName: "session"), completion: .sessionNames)
    var sessions: [String]

    @Option(help: ArgumentHelp("Why, for whoever looks.", valueName: "text"))
    var reason: String?

    @OptionGroup var waiting: VerbWaiting

    func perform(_ verb: SessionVerb, with fields: JSONObject = [:]) throws {
        let spool = try spool.open()
        for name in sessions where verb != .open { _ = try SessionFiles(name, in: spool) }
        try waiting.perform(on: spool, named: verb.rawValue, sessions.map { name in
            var task: JSONObject = [verb.rawValue: .string(name)]
            task["reason"] = .optional(reason)
            for member in fields.members { task[member.name] = member.value }
            return task
        })
    }
}

/// Drops verbs that are acted on at once, and tells what came of them.
struct VerbWaiting: ParsableArguments {
    @Flag(help: "Drop the task and do not wait for what comes of it; works without a daemon, too.")
    var noWait = false

    @Flag(help: "Print the results, a JSON object on a line each.")
    var json = false

    func perform(on spool: SpoolDirectory, named prefix: String, _ tasks: [JSONObject]) throws {
        try perform(on: spool, named: prefix, tasks, tell)
    }

    /// Drops the tasks, and tells of each what came of it; with `--no-wait`, only what is known at once.
    func perform(on spool: SpoolDirectory, named prefix: String, _ tasks: [JSONObject], _ tell: (JobID, JobWaiter.Ending) -> Void) throws {
        if !noWait { try DaemonProbe.need(spool.path) }
        let receipts = noWait ? Receipts(spool: spool.path, json: json) : nil
        let waiter = noWait ? nil : try JobWaiter(spool: spool)
        var dropper = try TaskDropper(spool: spool.path)
        // Of what is waited for by its name, no file stays open: there may be more than a process can have.
        let ids = try tasks.map { task in
            let file = try dropper.drop(task, named: prefix)
            receipts?.add(file)
            return file.id
        }
        if let receipts { return try receipts.conclude() }
        var code: Int32 = 0
        try waiter?.wait(for: ids, until: nil) { id, ending in
            if code == 0 { code = JobWaiter.exitCode(ofVerb: ending) }
            tell(id, ending)
        }
        if code != 0 { throw ExitCode(code) }
    }

    private func tell(_ id: JobID, _ ending: JobWaiter.Ending) {
        guard case .finished(_, let result?) = ending else { return Terminal.complain(JobWaiter.words(id, ending)) }
        if json { return Output.write(JSONWriter.write(result.json, .line)) }
        if let error = result.error { return Terminal.complain(error.message) }
        if let output = result.output { Output.print(Terminal.plain(Self.words(output))) }
    }

    /// `coder: stopping (was working)`; `coder: stopped`.
    static func words(_ output: JSON) -> String {
        let name = output["session"]?.string ?? "-"
        if let answer = output["answer"]?.string { return "\(name): answered with \"\(answer)\"" }
        if output["delivered"]?.bool == true { return "\(name): answered" }
        if let note = output["note"]?.string { return "\(name): noted as \(note); the next prompt brings it" }
        let (was, now) = (output["was"]?.string ?? "-", output["now"]?.string ?? "-")
        return was == now ? "\(name): \(now)" : "\(name): \(now) (was \(was))"
    }
}
