import ArgumentParser
import SpoolFormat

struct WakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wake", abstract: "Have sessions look at what has happened.",
        discussion: """
            A wake is a prompt that Rouse makes. While one is pending, others join it: however many reasons there are, \
            the agent is woken once, and told all of them. The id of the job is printed.
            """)

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("Names of sessions.", valueName: "session"), completion: .sessionNames)
    var sessions: [String]

    @Option(help: ArgumentHelp("Why; the agent is told.", valueName: "text"))
    var reason: String?

    @Option(
        help: ArgumentHelp("What to do with a turn that waits for input.", valueName: "mode"),
        completion: .list(WakeMode.allCases.map(\.rawValue)))
    var mode: String?

    @Flag(help: "Wait until it was delivered, or came to nothing, and exit as it did.")
    var wait = false

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() throws {
        let path = try SpoolDirectory.resolve(spool.path)
        var task: JSONObject = ["wake": sessions.count == 1 ? .string(sessions[0]) : .array(sessions.map(JSON.string))]
        task["reason"] = .optional(reason)
        task["mode"] = .optional(mode)
        let waiter = wait ? try JobWaiter(spool: try SpoolDirectory(path)) : nil
        var dropper = try TaskDropper(spool: path)
        let id = try dropper.drop(task, named: "wake")
        if !(wait && json) { TaskDropper.printIDs([id], json: json) }
        DaemonProbe.remark(path)
        try waiter?.wait(for: [id], printing: json ? .json : .words)
    }
}
