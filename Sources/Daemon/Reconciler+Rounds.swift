import CLinux
import Glibc
import JobIndex
import JobRunner
import Logging
import SpoolFormat
import SpoolWatch

// What is done at the end of each round, and what becomes of failures.
extension Reconciler {
    func endRound() {
        guard isActive else { return }
        var failure: (any Error)?
        func step(_ body: () throws -> Void) {
            do { try body() } catch { failure = failure ?? error }
        }
        if !isStopping {
            step { try refreshConfiguration() }
            step { if intake.hasMore, !ledger.isIndexBehind { try takeIn() } }
            step { try performControls() }
        }
        step { if waiting.hasMore, !ledger.isIndexBehind { try waiting.work() } }
        step { try scheduler.fill() }
        step { try workOnSessions() }
        step { if !isStopping { try forgetting.work() } }
        step { try keepRunnersWaiting() }
        let (rows, writeFault) = ledger.endRound(isCommitting: isCommitDue || scheduler.hasUnsynced || isStopping)
        if let writeFault { failure = failure ?? writeFault }
        if rows == .committed { makeDurable() }
        setCommitAlarm(rows)
        if spool.blanks.wantsFilling { blankAlarm?.set(after: Self.blankDelay) }
        if let failure { stalled(failure) } else if ledger.isIndexBehind { stalled(DaemonFault("the index is behind the files")) }
        defer { (hasFailed, isTryingAgain) = (false, false) }
        if hasFailed {
            dueIsStale = true
            return
        }
        // A round in which nothing was tried that had failed says nothing.
        if isTryingAgain { recovered() }
        if let wait = nextLook { settleAlarm?.set(after: wait) }
        if rows != .waiting, ledger.mayBeDueSooner || dueIsStale { setDueAlarm() }
        if (intake.hasMore && !isIntakeHeld && !isStopping) || waiting.hasMore || forgetting.hasMore || !controls.isEmpty { loop.post {} }
    }

    /// How long rows wait for others: what becomes of a short job meanwhile is written, and put on disk, at once.
    private static let commitDelay = TimeSpan(milliseconds: 5)

    /// Without a job for so long, more are unlikely to come at once.
    private static let blankDelay = TimeSpan(milliseconds: 10)

    private func setCommitAlarm(_ rows: Ledger.Rows) {
        isCommitDue = false
        if rows != .waiting {
            isCommitAlarmSet = false
        } else if !isCommitAlarmSet {
            isCommitAlarmSet = true
            commitAlarm?.set(after: Self.commitDelay)
        }
    }

    /// What can't be taken in goes back where it was dropped, which is an event there, too: looked at again at once, it
    /// would go round in circles.
    func takeIn() throws {
        guard !isIntakeHeld else { return }
        do { try intake.work() } catch {
            isIntakeHeld = true
            throw error
        }
    }

    func performControls() throws {
        while !ledger.isIndexBehind, let task = controls.first {
            do {
                guard try controller.perform(task) else { return }
            } catch let damage as DamagedRecord {
                // One job that can't be understood keeps no other verb waiting.
                rescuer.warnOnce("\(task.id): \(damage)")
            }
            controls.removeFirst()
        }
    }

    /// A runner that waits is what a job's start costs least with; a few, for a few at once.
    func keepRunnersWaiting() throws {
        guard !isStopping, !isDraining else { return }
        let most = max(2, QueueBook.cores + 1)
        if runners.idleCount == 0 { try runners.keepWaiting(1) }
        if runners.idleCount > most { try runners.keepWaiting(most) }
    }

    /// Puts the round on disk, without waiting for it; then lets those begin that may only begin once.
    func makeDurable() {
        let starts = scheduler.takeUnsynced()
        sync.request { [loop, weak self] result in
            if starts.isEmpty, case .success = result { return }
            loop.post { [weak self] in self?.assumeIsolated { $0.synced(starts, result) } }
        }
    }


    func synced(_ starts: [(id: JobID, attempt: Int)], _ result: Result<Void, SystemFault>) {
        if case .failure(let fault) = result, !cannotSync, !isStopping {
            cannotSync = true
            logger.error("\(fault); until the daemon is started again, what it takes in outlives a crash but perhaps no power cut")
            ledger.events.append("sync_failed", ["message": .string(fault.description)])
        }
        for start in starts {
            do {
                // Where the index can't be synced, the job's own files can tell of the start.
                if case .failure = result { try scheduler.synchronizeIntent(start.id) }
                runners.begin(start.id, attempt: start.attempt)
            } catch {
                stalled(error)
                postponed.append(start)
            }
        }
    }
}
