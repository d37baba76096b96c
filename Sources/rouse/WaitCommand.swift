import ArgumentParser
import SpoolFormat

struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until jobs are finished, and exit as they did.",
        discussion: """
            Exits with 0 when all succeeded. Otherwise as the first one that did not, in the order given: with its own \
            exit code, with 128 and the number of the signal that ended it, with 124 when it reached its timeout, with \
            65 when its file was rejected, and with 1 when it was cancelled, expired, superseded or lost.

            A file in the inbox is waited for, too. Nothing is polled.
            """)

    @OptionGroup var spool: SpoolOption

    @Argument(help: ArgumentHelp("Ids of jobs.", valueName: "id"), completion: .jobIDs)
    var ids: [String]

    @Option(help: ArgumentHelp("Wait no longer than this, as 90s or 10m; then exit with 124.", valueName: "duration"))
    var timeout: String?

    @Flag(name: .shortAndLong, help: "Say nothing of how the jobs ended.")
    var quiet = false

    @Flag(help: "Print the results, a JSON object on a line each.")
    var json = false

    func validate() throws {
        if let timeout, TimeSpan(timeout) == nil { throw ValidationError("--timeout takes a duration such as 90s, 10m or 2h.") }
    }

    func run() throws {
        let deadline = timeout.flatMap(TimeSpan.init).map { ContinuousClock.now + .milliseconds($0.milliseconds) }
        let spool = try spool.open()
        let ids = try ids.map(SpoolDirectory.jobID)
        let waiter = try JobWaiter(spool: spool)
        for id in ids where try spool.place(of: id) == nil { throw spool.noSuchJob(id) }
        if DaemonProbe(spool: spool.path).state == .stopped, try !isFinished(ids, spool) {
            Terminal.complain("no daemon is running; this waits until one is (\(DaemonProbe.advice))")
        }
        if spool.isPaused, try !isFinished(ids, spool) { Terminal.complain(spool.pauseText) }
        for id in ids where spool.state(of: id)?.isFinished == true { spool.namesakeText(of: id).map(Terminal.complain) }
        try waiter.wait(for: ids, until: deadline, printing: json ? .json : quiet ? .silent : .words)
    }

    private func isFinished(_ ids: [JobID], _ spool: SpoolDirectory) throws -> Bool {
        ids.allSatisfy { spool.state(of: $0)?.isFinished ?? true }
    }
}
