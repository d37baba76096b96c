import ArgumentParser
import Daemon
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
        let spool = try spool.open()
        let before = olderThan.flatMap { TimeSpan($0) }.map { Timestamp(milliseconds: Timestamp.now.milliseconds - $0.milliseconds) }
        // Without a word about which, what the daemon would forget by itself.
        let isBare = before == nil && keep == nil
        let jobs = try Pruning.candidates(
            in: spool.path, before: isBare ? Timestamp(milliseconds: Timestamp.now.milliseconds - Defaults.keepTime.milliseconds) : before,
            keeping: isBare ? Defaults.keepCount : keep)
        if dryRun {
            for job in jobs { Output.print("\(job.state.rawValue)/\(job.id)") }
            return
        }
        var progress = Progress("jobs forgotten")
        try Pruning.forget(jobs, in: spool.path) { progress.show($0) }
        progress.end()
        if !jobs.isEmpty { DaemonProbe(spool: spool.path).lookNow() }
        Output.print("\(jobs.count) \(jobs.count == 1 ? "job" : "jobs") forgotten")
    }
}
