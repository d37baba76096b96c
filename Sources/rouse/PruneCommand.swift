import ArgumentParser
import Daemon
import JobIndex
import SpoolFormat

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Forget finished jobs now.",
        discussion: """
            Each becomes one line in archive/<day>.jsonl, then its directory goes. What is not finished is never \
            touched, nor is what has a name that is no job's; symbolic links are not followed.

            Without options, what the daemon would forget by the keep rules of each queue (7 days, 10,000 jobs). With \
            one or both, these hold instead: what is older, and what is beyond the newest, goes.
            """)

    @OptionGroup var spool: SpoolOption

    @Option(help: ArgumentHelp("Forget what was finished longer ago than this, as 7d or 12h.", valueName: "duration"))
    var olderThan: String?

    @Option(help: ArgumentHelp("Forget all but the newest so many of each queue.", valueName: "count"))
    var keep: Int?

    @Flag(name: [.customShort("n"), .long], help: "Only say what would go.")
    var dryRun = false

    func validate() throws {
        if let olderThan, TimeSpan(olderThan) == nil { throw ValidationError("--older-than takes a duration such as 7d or 12h.") }
        if let keep, keep < 0 { throw ValidationError("--keep takes a number that is not negative.") }
    }

    func run() throws {
        let spool = try spool.open()
        let pruner = try Pruner(spool: spool.path)
        var reading = Progress("looking at finished jobs")
        let rule = Pruner.Rule(age: olderThan.flatMap(TimeSpan.init), count: keep)
        let leaving = try pruner.candidates(
            rule, damaged: { Terminal.complain($0.description) }, progress: { reading.show($0) })
        reading.end()
        if dryRun {
            for job in leaving { Output.print("\(job.state.rawValue)/\(job.id)") }
            return Terminal.note("\(leaving.count) would be forgotten")
        }
        var forgetting = Progress("forgotten")
        let count = try pruner.forget(leaving) { forgetting.show($0, of: leaving.count) }
        forgetting.end()
        if count > 0 { DaemonProbe(spool: spool.path).lookNow() }
        Output.print("\(count) \(count == 1 ? "job" : "jobs") forgotten")
    }
}
