import ArgumentParser
import SpoolFormat

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Forget finished jobs now.",
        discussion: """
            Each becomes one line in archive/<day>.jsonl, then its directory goes. What is not finished is never \
            touched, nor is what has a name that is no job's; symbolic links are not followed.
            """)

    @OptionGroup var spool: SpoolOption

    @Option(help: ArgumentHelp("Only jobs that were finished longer ago than this, as 7d or 12h.", valueName: "duration"))
    var olderThan: String?

    @Option(help: ArgumentHelp("Keep so many of each queue, the newest.", valueName: "count"))
    var keep: Int?

    @Flag(name: [.customShort("n"), .long], help: "Only say what would go.")
    var dryRun = false

    func validate() throws {
        if let olderThan, TimeSpan(olderThan) == nil { throw ValidationError("--older-than takes a duration such as 7d or 12h.") }
        if let keep, keep < 0 { throw ValidationError("--keep takes a number that is not negative.") }
    }

    func run() throws {
        _ = try spool.open()
        throw CommandFault("this build can't prune", .software)
    }
}
