import ArgumentParser
import SpoolFormat

struct SessionOpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Define a session, or start the process of one that is defined.",
        discussion: """
            Needs --agent for a new one; the same can be said lastingly in config/sessions/NAME.json. A coordinator is \
            woken when jobs of --queues, with --labels, or dropped by --parents change state.
            """)

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("The session's name.", valueName: "session"), completion: .sessionNames)
    var session: String

    @Option(help: ArgumentHelp("An agent of config/agents/.", valueName: "name"))
    var agent: String?

    @Option(help: ArgumentHelp("Where the agent works. (default: a directory of the session's own)", valueName: "dir"), completion: .directory)
    var cwd: String?

    @Option(help: ArgumentHelp("Coordinates the jobs of this queue; may be repeated.", valueName: "name"))
    var queues: [String] = []

    @Option(help: ArgumentHelp("NAME=VALUE: coordinates the jobs with this label; with several, all of them.", valueName: "label"))
    var labels: [String] = []

    @Option(help: ArgumentHelp("Coordinates the jobs that this job dropped; may be repeated.", valueName: "job"), completion: .jobIDs)
    var parents: [String] = []

    @Option(
        help: ArgumentHelp("Wakes only for this; may be repeated.", valueName: "event"),
        completion: .list(WakeEvent.ofJobs.map(\.rawValue)))
    var wakeOn: [String] = []

    @Option(
        help: ArgumentHelp("What its wakes do with a turn that waits for input.", valueName: "mode"),
        completion: .list(WakeMode.allCases.map(\.rawValue)))
    var mode: String?

    @Option(help: ArgumentHelp("How many prompts may wait (default \(Defaults.pendingPrompts)).", valueName: "count"))
    var pending: Int?

    @Option(help: ArgumentHelp("The model.", valueName: "name"))
    var model: String?

    @Option(help: ArgumentHelp("NAME=VALUE for the agent's environment; may be repeated.", valueName: "variable"))
    var env: [String] = []

    @Option(help: ArgumentHelp("How long a turn may take.", valueName: "duration"))
    var timeout: String?

    @OptionGroup var waiting: VerbWaiting

    func validate() throws {
        for text in labels + env where !text.dropFirst().contains("=") { throw ValidationError("--labels and --env take NAME=VALUE, not \"\(text)\".") }
    }

    func run() throws {
        let spool = try spool.open()
        if agent == nil, SessionName.check(session) != nil, !SessionFiles.names(in: spool).contains(session) { throw AgentNames.missing(for: session, in: spool) }
        var task: JSONObject = ["open": .string(session)]
        task["agent"] = .optional(agent)
        task["cwd"] = .optional(try cwd.map { $0.hasPrefix("/") ? $0 : try TaskArguments.currentDirectory() + "/" + $0 })
        var coordinates = JSONObject()
        coordinates["queues"] = queues.isEmpty ? nil : .array(queues.map(JSON.string))
        coordinates["labels"] = labels.isEmpty ? nil : map(labels)
        coordinates["parents"] = parents.isEmpty ? nil : .array(parents.map(JSON.string))
        task["coordinates"] = coordinates.isEmpty ? nil : .object(coordinates)
        task["wake_on"] = wakeOn.isEmpty ? nil : .array(wakeOn.map(JSON.string))
        task["mode"] = .optional(mode)
        task["pending"] = .optional(pending)
        task["model"] = .optional(model)
        task["env"] = env.isEmpty ? nil : map(env)
        task["timeout"] = .optional(timeout)
        try waiting.perform(on: spool, named: "open", [task])
    }

    private func map(_ texts: [String]) -> JSON {
        var object = JSONObject()
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            object[String(parts[0])] = .string(String(parts[1]))
        }
        return .object(object)
    }
}
