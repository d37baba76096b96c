import CLinux
import Glibc
import JobRunner
import Processes
import SpoolFormat

/// One attempt from its begin to its `exit.json`.
///
/// ```
/// running ──main program ended, nothing left──────────────▶ recording ──exit.json written──▶ over
///    │ ╲── ended, processes left behind ──▶ terminating ──▶    ▲
///    ╰──── deadline, cancel ──────────────▶ (TERM, grace)      │
///                                                ╰─▶ killing ──╯   always: once no process is left
/// ```
/// `advance` is called after whatever may have happened, and looks itself at what did.
final class Attempt {
    private enum Phase {
        case running
        case terminating(until: Int64)
        case killing(again: Int64)
        case recording(again: Int64)
    }

    let record: RunRecord
    /// Processes of this attempt live on which this user may not end.
    private(set) var hasStrayProcesses = false

    private let log: LogKeeper
    private var exitFile: ExitFile
    private let startedAt: Timestamp
    private let started: Int64
    private var phase = Phase.running
    private var children: Children
    /// Why the program was ended, where it did not end by itself.
    private var cause: ExitRecord.Cause?
    private var leftBehind = 0
    private var notes: [String] = []
    private var killRounds = 0

    /// Checks that the attempt is this runner's and has not been begun, and starts its program.
    init(_ id: JobID, _ number: Int, in spool: Directory, runner: ProcessIdentity, preparation: Preparation?, blanks: Blanks) throws(Refusal) {
        let intent = try Intent(id, number, in: spool, runner: runner, preparation: preparation, blanks: blanks)
        record = intent.record
        log = intent.log
        exitFile = ExitFile(in: intent.job, log: log)
        startedAt = .now
        started = Monotonic.now
        do throws(Unstartable) {
            children = Children(main: try Launch.start(record, in: intent.job, output: log, environment: intent.environment, blanks: blanks))
        } catch {
            children = Children(main: nil)
            cause = .unstartable
            notes.append(error.message)
        }
    }

    /// How long nothing needs to be done unless something happens, in milliseconds as `poll` takes them.
    var patience: Int32 {
        let next: Int64 =
            switch phase {
            case .running: min(started + record.timeout.milliseconds, log.nextLook)
            case .terminating(let until): min(until, log.nextLook)
            case .killing(let again): min(again, log.nextLook)
            case .recording(let again): again
            }
        return Int32(clamping: min(max(next - Monotonic.now, 0), 86_400_000))
    }

    /// Ends the attempt, unless it is ending already.
    func cancel() { end(because: .cancelled) }

    /// Does what is due.
    /// - Returns: the record, once the attempt is over and the record is on disk.
    func advance() -> ExitRecord? {
        if case .recording(let again) = phase { return Monotonic.now >= again ? write() : nil }
        children.reap()
        if children.areGone { return close() }
        let now = Monotonic.now
        if now >= log.nextLook { log.look(at: now) }
        switch phase {
        case .running where children.mainHasEnded: leftBehind = terminate()
        case .running where now >= started + record.timeout.milliseconds: end(because: .timeout)
        case .terminating(let until) where now >= until: kill()
        case .killing(let again) where now >= again:
            kill()
            if hasStrayProcesses { return close() }
        default: break
        }
        return children.areGone ? close() : nil
    }

    /// Begins to end a program that runs. One that has just ended by itself keeps its true end.
    private func end(because cause: ExitRecord.Cause) {
        guard case .running = phase, !children.mainHasEnded else { return }
        guard children.holdMain() else { return children.reap() }
        self.cause = cause
        if cause == .timeout { notes.append("took longer than \(record.timeout)") }
        terminate()
    }

    /// Asks the whole tree to end. What was stopped must run to be able to.
    /// - Returns: how many processes were there to be asked.
    @discardableResult
    private func terminate() -> Int {
        let tree = ProcessTree.descendants(of: getpid())
        phase = .terminating(until: Monotonic.now + record.grace.milliseconds)
        return tree.filter { $0.send(Signal.terminate, Signal.resume) == .sent }.count
    }

    /// Ends the whole tree, without asking. Called again until nothing is left.
    private func kill() {
        let tree = ProcessTree.freeze { ProcessTree.descendants(of: getpid()) }
        let deliveries = tree.map { $0.send(Signal.kill) }
        killRounds += 1
        phase = .killing(again: Monotonic.now + min(Int64(10) << min(killRounds, 6), 500))
        if !deliveries.isEmpty, deliveries.allSatisfy({ $0 == .notPermitted }), killRounds > 10 {
            hasStrayProcesses = true
            notes.append("\(deliveries.count) processes of another user could not be ended")
        }
    }

    private func close() -> ExitRecord? {
        exitFile.record = exitRecord(logBytesLeftOut: log.finish(), ending: children.ending)
        return write()
    }

    private func write() -> ExitRecord? {
        if let record = exitFile.write() { return record }
        phase = .recording(again: Monotonic.now + ExitFile.pause)
        return nil
    }

    private func exitRecord(logBytesLeftOut: Int64, ending: Children.Ending?) -> ExitRecord {
        notes += log.notes
        return ExitRecord(
            attempt: record.attempt, cause: cause ?? .exited, exitCode: ending?.exitCode, signal: ending?.signal,
            startedAt: startedAt, finishedAt: ending?.at ?? .now,
            durationMilliseconds: (ending?.moment ?? Monotonic.now) - started, resources: children.resources,
            logBytesLeftOut: logBytesLeftOut, leftBehind: leftBehind,
            message: notes.isEmpty ? nil : notes.joined(separator: "; "))
    }
}
