import CLinux
import Glibc
import JobIndex
import JobRunner
import Logging
import SpoolFormat
import SpoolWatch

// What is done when its time has come, and what is done again after a failure.
extension Reconciler {
    func setDueAlarm() {
        dueIsStale = false
        let times = [ledger.nextDue(), schedules.nextDue]
        // What is due and has not gone on (there may be more than a round takes) is looked at again, not all the time.
        let soonest = Timestamp.now + TimeSpan(milliseconds: 20)
        dueAlarm?.set(at: times.compactMap(\.self).min().map { max($0, soonest) })
    }

    /// When something that was seen half-written, perhaps, is to be looked at again.
    var nextLook: TimeSpan? {
        [intake.nextLook, queues.nextLook, schedules.nextLook, agentBook.nextLook, sessionBook.nextLook].compactMap(\.self).min()
    }

    func lookAtUnsettled() {
        intake.lookAtUnsettled()
        if queues.nextLook != nil { mustRefreshQueues = true }
        if schedules.nextLook != nil { mustRefreshSchedules = true }
        if agentBook.nextLook != nil { mustRefreshAgents = true }
        if sessionBook.nextLook != nil { mustRefreshSessions = true }
    }

    func due() {
        guard isActive else { return }
        dueAlarm?.wentOff()
        dueIsStale = true
        waiting.reconsiderDue(at: .now)
        do { try schedules.work() } catch { stalled(error) }
    }

    /// Looks at everything, as if nothing had been heard since the start.
    func sweep() {
        guard isActive, !isStopping else { return }
        sweepAlarm?.set(after: settings.sweep)
        watcher.verify()
        look(at: nil, reopening: true)
        isIntakeHeld = false
        do {
            try repairIndex()
            sessionBook.lookAgain()
            try finishHalfDone()
            try rescuer.reconsiderWaiters()
        } catch { stalled(error) }
        forgetting.begin()
        status.swept()
        writeStatus(isRunning: true)
        settings.onSweep()
    }

    /// Something could not be done. It is said once, left as it is, and tried again: soon, then less often.
    func stalled(_ error: any Error) {
        hasFailed = true
        let message = "\(error)"
        fault = message
        if isNews(error) {
            logger.error("\(message); what is there is kept, and it is tried again")
            ledger.events.append("stalled", ["message": .string(message)])
            statusChanged()
        }
        // What fails meanwhile must not put it off.
        guard !isRetrySet else { return }
        isRetrySet = true
        faults = min(faults + 1, 6)
        retryAlarm?.set(after: TimeSpan(milliseconds: min(30_000, 500 << Int64(faults))))
    }

    /// A full disk is met at every file, and by the index, and is one thing to say.
    func isNews(_ error: any Error) -> Bool {
        guard let fault = error as? SystemFault else { return faultsSaid.isEmpty && faultsSaid.insert(0).inserted }
        return faultsSaid.insert(fault.errno).inserted
    }

    func tryAgain() {
        guard isActive else { return }
        let starts = postponed
        postponed = []
        if !starts.isEmpty { synced(starts, .failure(SystemFault("sync", "the index", errno: EIO))) }
        isTryingAgain = true
        isRetrySet = false
        isIntakeHeld = false
        do {
            if mustRecoverIndex || ledger.isIndexBehind {
                try repairIndex()
                // Who waits for what ended meanwhile could not be told.
                try rescuer.reconsiderWaiters()
            }
            try finishHalfDone()
        } catch { stalled(error) }
        look(at: nil, reopening: true)
    }

    /// Goes on with everything that was left half-done; what one of them lacks keeps none of the others.
    func finishHalfDone() throws {
        var failure: (any Error)?
        func step(_ body: () throws -> Void) { do { try body() } catch { failure = failure ?? error } }
        step { try forgetting.recover() }
        step { try staging.recover(warn: rescuer.warnOnce) }
        step { try Rejecter(ledger: ledger).completeReasons() }
        step { try rescuer.finishSteps() }
        if let failure { throw failure }
    }

    func recovered() {
        guard fault != nil else { return }
        fault = nil
        faultsSaid = []
        faults = 0
        logger.notice("it works again")
        ledger.events.append("unstalled")
        statusChanged()
    }
}
