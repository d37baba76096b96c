import CLinux
import Glibc
import JobIndex
import SpoolFormat
import SpoolWatch

// What sessions need of the rounds.
extension Reconciler {
    func connectSessions() {
        ledger.onRecord = { [sessionBook] row in if row.queue.contains(":") { sessionBook.observe(row) } }
        sessionBook.onTurn = { [unowned self] name, isInTurn in self.assumeIsolated { $0.watch(name, isInTurn) } }
        sessionBook.onEnded = { [unowned self] name in self.assumeIsolated { $0.sessionEnded(name) } }
        staging.onQueueing = { [wakes] task in try wakes.jobWill(.queued, task) }
        controller.onQueueing = { [wakes] task in try wakes.jobWill(.queued, task) }
        waiting.onQueueing = { [wakes] task in try wakes.jobWill(.queued, task) }
        requeue.onQueueingAgain = { [wakes] task, event, attempts, by in try wakes.jobWill(event, task, attempts: attempts, by: by) }
        finisher.onFinishing = { [wakes] task, result in
            try wakes.jobWill(result.outcome == .succeeded ? .finished : .failed, task, result: result)
        }
        sessionBook.onForgotten = { [controller] in controller.endLater($0) }
        turns.onOutdated = { [sessionController] in try sessionController.endOutdated($0) }
        wakes.isMoreComing = { [intake] in intake.hasMore }
        staging.onJoining = { [wakes] in try wakes.coalesce($0) }
        controller.onJoining = { [wakes] in try wakes.coalesce($0) }
        controller.performOnSession = { [sessionController] in try sessionController.perform($0, mark: $1) }
        finisher.turns = turns
        scheduler.turns = turns
    }

    /// A session in a turn tells what it does in its directory.
    private func watch(_ name: String, _ isInTurn: Bool) {
        let path = spool.sessions.path + "/" + name
        if isInTurn { watcher.watch(path) } else { watcher.unwatch(WatchToken(path)) }
    }

    private func sessionEnded(_ name: String) {
        if let session = sessionBook[name], session.record.mustRestart, !session.isStopping {
            do { try sessionController.startAgain(session) } catch { stalled(error) }
        }
        // Its next turn may start, or its next process.
        loop.post {}
    }

    /// The directory of a session has changed.
    func hear(_ name: String) {
        guard let session = sessionBook[name] else { return }
        let before = session.report?.process
        sessionBook.hear(name)
        if session.report?.process != before { TurnControl(ledger: ledger).signalIfTold(session) }
        if session.report != nil, hasReport(name) { TurnControl(ledger: ledger).signal(session) }
    }

    private func hasReport(_ name: String) -> Bool {
        guard let directory = try? spool.sessions.directory(name), let status = try? directory.status(SpoolLayout.Session.report) else { return false }
        defer { reportsSeen[name] = status }
        return reportsSeen[name] != status
    }

    /// Wakes that may interrupt a turn, and session files.
    func workOnSessions() throws {
        var soonest: Timestamp?
        let control = TurnControl(ledger: ledger)
        for session in sessionBook.all where session.turn != nil && !session.waitingWakes.isEmpty {
            switch try wakes.step(session) {
            case .nothing, .fallBack: break
            case .interrupt(let deadline):
                soonest = min(soonest ?? deadline, deadline)
                // The daemon may have died after it had noted the request. A turn that waits no longer is left alone.
                guard session.state == .waiting, !control.isInterrupted(session) else { continue }
                do throws(SystemFault) {
                    try control.interrupt(session, because: "a wake", by: "wake")
                } catch {
                    try wakes.interruptFailed(session, ErrorRecord("interrupt_failed", error.description, retryable: true))
                }
            }
        }
        interruptAlarm?.set(at: soonest)
        if let wait = [wakes.takeWait(), keepers.takeWait()].compactMap(\.self).min() { wakeAlarm?.set(after: wait) }
        try sessionBook.flush()
    }
}
