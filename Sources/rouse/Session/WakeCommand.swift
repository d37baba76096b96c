import ArgumentParser
import SpoolFormat

struct WakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wake", abstract: "Have sessions look at what has happened.",
        discussion: """
            A wake is a prompt that Rouse makes. While one is pending, others join it: however many reasons there are, \
            the agent is woken once, and told all of them. The id of the job is printed; a wake that is rejected has \
            none, and the exit code is 65.
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
        let receipts = Receipts(spool: path, waiter: waiter, json: json, isSilent: wait && json)
        var dropper = try TaskDropper(spool: path)
        receipts.add(try dropper.drop(task, named: "wake"))
        receipts.settle()
        receipts.remarkOnDaemon()
        if receipts.mayBeAccepted { SessionRemark.make(on: sessions, in: path, for: "wake", isAccepted: receipts.isAccepted) }
        if let waiter { return try waiter.wait(for: receipts, printing: json ? .json : .words) }
        try receipts.conclude()
    }
}
