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
        let times = [ledger.ask(nil) { try $0.nextDue() }, schedules.nextDue]
        // What is due and has not gone on (there may be more than a round takes) is looked at again, not all the time.
        let soonest = Timestamp.now + TimeSpan(milliseconds: 20)
        dueAlarm?.set(at: times.compactMap(\.self).min().map { max($0, soonest) })
    }

    func due() {
        dueAlarm?.wentOff()
        dueIsStale = true
        waiting.reconsiderDue(at: .now)
        do { try schedules.work() } catch { stalled(error) }
    }

    /// Looks at everything, as if nothing had been heard since the start.
    func sweep() {
        guard !isStopping else { return }
        sweepAlarm?.set(after: settings.sweep)
        watcher.verify()
        look(at: nil, reopening: true)
        do {
            try staging.recover(warn: rescuer.warnOnce)
            try Rejecter(ledger: ledger).completeReasons()
            let repaired = try rescuer.reconcile()
            if repaired > 0 { logger.notice("the index had \(repaired) jobs wrong; the directories count") }
            try rescuer.finishSteps()
            try rescuer.reconsiderWaiters()
        } catch { stalled(error) }
        forgetting.begin()
        status.swept()
        writeStatus(isRunning: true)
        settings.onSweep()
    }

    /// Something could not be done. It is said once, left as it is, and tried again: soon, then less often.
    func stalled(_ error: any Error) {
        let message = "\(error)"
        if fault != message {
            fault = message
            logger.error("\(message); what is there is kept, and it is tried again")
            ledger.events.append("stalled", ["message": .string(message)])
            statusChanged()
        }
        faults = min(faults + 1, 6)
        retryAlarm?.set(after: TimeSpan(milliseconds: min(30_000, 500 << Int64(faults))))
    }

    func tryAgain() {
        let starts = postponed
        postponed = []
        if !starts.isEmpty { synced(starts, .failure(SystemFault("sync", "the index", errno: EIO))) }
        do {
            if ledger.isIndexBehind { _ = try rescuer.reconcile() }
            try staging.recover(warn: rescuer.warnOnce)
            try rescuer.finishSteps()
            look(at: nil, reopening: true)
        } catch { stalled(error) }
    }

    func recovered() {
        guard fault != nil else { return }
        fault = nil
        faults = 0
        logger.notice("it works again")
        ledger.events.append("unstalled")
        statusChanged()
    }
}
