import ArgumentParser
import JobIndex
import SpoolFormat

/// What the five control commands share: which jobs they act on, and how they act.
struct ControlArguments: ParsableArguments {
    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("Ids of jobs.", valueName: "id"), completion: .jobIDs)
    var ids: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("All jobs of this queue that it can act on.", valueName: "name"))
    var queue: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("NAME=VALUE: all jobs with this label; with several, all of them.", valueName: "label"))
    var label: [String] = []

    @OptionGroup var waiting: VerbWaiting

    func validate() throws {
        guard [!ids.isEmpty, queue != nil, !label.isEmpty].count(where: { $0 }) == 1 else {
            throw ValidationError("Give ids of jobs, --queue, or --label: one of them.")
        }
        for text in label where !text.dropFirst().contains("=") {
            throw ValidationError("--label takes NAME=VALUE, not \"\(text)\".")
        }
        if let queue, QueueName.check(queue) == nil { throw ValidationError("--queue takes \(QueueName.expected).") }
    }

    func perform(_ verb: ControlVerb) throws {
        let spool = try spool.open()
        let selectors = try selectors(spool)
        try waiting.perform(on: spool, named: verb.rawValue, selectors.map { [verb.rawValue: $0] }) { tell($0, $1, verb, spool) }
    }

    private func selectors(_ spool: SpoolDirectory) throws -> [JSON] {
        if let queue { return [["queue": .string(queue)]] }
        if !label.isEmpty {
            var labels = JSONObject()
            for text in label {
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                labels[String(parts[0])] = .string(String(parts[1]))
            }
            return [["label": .object(labels)]]
        }
        return try ids.map { text in
            let id = try SpoolDirectory.jobID(text)
            switch try spool.place(of: id) {
            case .rejected: throw spool.isRejected(id)
            case nil: throw spool.noSuchJob(id)
            default: break
            }
            return .string(id.text)
        }
    }

    private func tell(_ id: JobID, _ ending: JobWaiter.Ending, _ verb: ControlVerb, _ spool: SpoolDirectory) {
        guard case .finished(_, let result?) = ending else { return Terminal.complain(JobWaiter.words(id, ending)) }
        if waiting.json { return Output.write(JSONWriter.write(result.json, .line)) }
        if let error = result.error { Terminal.complain(error.message) }
        guard let output = result.output else { return }
        if output["count"]?.int == 0 { Output.print(nothing(verb, spool)) }
        ControlOutput(output).lines.forEach(Output.print)
    }

    /// That there was nothing to do is no failure, but it may be a slip.
    private func nothing(_ verb: ControlVerb, _ spool: SpoolDirectory) -> String {
        guard let queue else { return "no job with this label is one to \(verb.rawValue); nothing was done" }
        var text = "no job in the queue \(queue) is one to \(verb.rawValue); nothing was done"
        let known = Set(((try? JobSource(spool).counts()) ?? []).map(\.queue) + ((try? spool.queueInboxes()) ?? []) + [Defaults.queue])
        if !known.contains(queue), !spool.root.contains("\(SpoolLayout.config)/queues/\(queue).json") {
            text += ": there is no such queue" + (nearest(to: queue, among: known.sorted()).map { "; did you mean \($0)?" } ?? "")
        }
        return text
    }
}

/// What a control verb did, in lines: `build-7: cancelled`.
struct ControlOutput {
    let lines: [String]

    init(_ output: JSON) {
        let jobs = output["jobs"]?.object?.members ?? []
        let count = output["count"]?.int ?? jobs.count
        var lines = jobs.map { job in "\(job.name): \(Self.words(job.value.string ?? ""))" }
        if count > jobs.count { lines.append("and \(count - jobs.count) more") }
        self.lines = lines.map { Terminal.plain($0) }
    }

    private static func words(_ word: String) -> String { word.split(separator: "_").joined(separator: " ") }
}
