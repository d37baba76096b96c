import ArgumentParser
import Glibc
import SpoolFormat

struct PromptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompt", abstract: "Say something to an agent.",
        usage: """
            rouse prompt [<options>] <session> [<text> ...]
            rouse prompt [<options>] --agent <name> [<text> ...]
            rouse prompt [<options>] <session> - < text
            """,
        discussion: """
            A prompt to a session is its next turn; with --agent, an agent runs once, without a conversation that lasts, \
            and all words are the text. Without text, or with -, the text is read from standard input. The id of the job \
            is printed; with --wait, the agent's answer, and the exit code is the job's. A prompt that is rejected has no \
            id; why is told, and the exit code is 65.
            """)

    @OptionGroup var spool: SpoolOption

    @OptionGroup var name: JobIDOption

    @Option(help: ArgumentHelp("Run this agent of config/agents/ once.", valueName: "name"))
    var agent: String?

    @Option(help: ArgumentHelp("What people are shown instead of the text.", valueName: "text"))
    var display: String?

    @OptionGroup(title: "Task") var task: TaskArguments

    @Flag(help: "Wait for the answer, and print it.")
    var wait = false

    @Flag(help: "Print a JSON object: the job's id, or its result with --wait.")
    var json = false

    @Argument(help: ArgumentHelp("The session, unless --agent is given; then the text.", valueName: "word"), completion: .sessionNames)
    var words: [String] = []

    func validate() throws {
        if let agent, let word = wordBeforeAgent {
            throw ValidationError(
                "\(word) stands where a session is named, and --agent runs an agent once, without a session: leave one of them out. A text goes behind --agent \(agent); a session with that agent is made by: rouse session open \(word) --agent \(agent)")
        }
        if agent == nil, words.isEmpty { throw ValidationError("Name the session, or an agent with --agent.") }
        if text.isEmpty, isatty(0) == 1 { throw ValidationError("There is nothing to say: give a text, or text on standard input.") }
    }

    /// A word in front of `--agent`. The parser does not tell which came first, and a session that is named beside an
    /// agent must not be taken for the first word of the text.
    private var wordBeforeAgent: String? {
        let all = CommandLine.arguments
        guard let start = all.indices.first(where: { all[$0] == "prompt" && $0 > 0 && all[$0 - 1] != "--spool" }) else { return nil }
        var index = start + 1
        while index < all.count, all[index] != "--agent", !all[index].hasPrefix("--agent="), all[index] != "--" {
            let word = all[index]
            guard word.hasPrefix("-"), word != "-" else { return word }
            index += word.contains("=") || Self.flags.contains(word) ? 1 : 2
        }
        return nil
    }

    /// Options without a value.
    private static let flags = ["--wait", "--json", "--own-directory"]

    private var text: [String] {
        let rest = agent == nil ? Array(words.dropFirst()) : words
        return rest == ["-"] ? [] : rest
    }

    func run() throws {
        let path = try SpoolDirectory.resolve(spool.path)
        var fields: JSONObject = ["prompt": .string(try said())]
        if let agent { fields["agent"] = .string(agent) } else { fields["session"] = .string(words[0]) }
        fields["display"] = .optional(display)
        for member in try task.fields().members { fields[member.name] = member.value }
        fields["queue"] = .optional(task.queue)
        let waiter = wait ? try JobWaiter(spool: try SpoolDirectory(path)) : nil
        let id = try name.free(in: try? SpoolDirectory(path))
        let receipts = Receipts(spool: path, waiter: waiter, json: json, isSilent: wait)
        var dropper = try TaskDropper(spool: path)
        receipts.add(try dropper.drop(fields, named: agent ?? words[0], as: id))
        receipts.settle()
        receipts.remarkOnDaemon()
        if agent == nil, receipts.mayBeAccepted { SessionRemark.make(on: [words[0]], in: path, for: "prompt", isAccepted: receipts.isAccepted) }
        guard let waiter else { return try receipts.conclude() }
        receipts.settleAll()
        try receipts.conclude()
        try receipts.jobs.first.map { try answer(to: $0.id, waiter) }
    }

    private func said() throws -> String {
        guard text.isEmpty else { return text.joined(separator: " ") }
        guard let said = String(validating: try TaskText.read("-"), as: UTF8.self) else {
            throw CommandFault("standard input is not UTF-8, and a prompt is text", .badData)
        }
        return said
    }

    private func answer(to id: JobID, _ waiter: JobWaiter) throws {
        var code: Int32 = 0
        try waiter.wait(for: [id], until: nil) { id, ending in
            code = JobWaiter.exitCode(ending)
            guard case .finished(_, let result?) = ending else { return Terminal.note(JobWaiter.words(id, ending)) }
            if json { return Output.write(JSONWriter.write(result.json, .line)) }
            if let text = result.output?["text"]?.string, !text.isEmpty { Output.print(text) }
            for warning in result.warnings { Terminal.complain(warning) }
            if code != 0 { Terminal.note(JobWaiter.words(id, ending)) }
        }
        if code != 0 { throw ExitCode(code) }
    }
}
