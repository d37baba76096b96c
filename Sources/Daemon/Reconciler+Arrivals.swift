import CLinux
import Glibc
import JobIndex
import JobRunner
import Logging
import SpoolFormat
import SpoolWatch

// What arrives: hints, ends of attempts, and news of jobs.
extension Reconciler {
    /// A directory is to be looked at again; `nil` is all of them. On the loop's thread.
    /// - Parameter reopening: the path may lead to another directory than before.
    func look(at path: String?, reopening: Bool) {
        guard isActive else { return }
        if reopening {
            do { try spool.reopen() } catch { stalled(error) }
        }
        guard let path else {
            intake.hintAll()
            (mustRefreshQueues, mustRefreshSchedules) = (true, true)
            (mustRefreshAgents, mustRefreshSessions) = (true, true)
            for session in sessionBook.all where session.turn != nil { hear(session.name) }
            return checkPause()
        }
        let inbox = spool.inbox.path
        if path == spool.root.path {
            do { try spool.reopen() } catch { stalled(error) }
        } else if path == inbox {
            intake.hint(nil)
        } else if path.hasPrefix(inbox + "/") {
            intake.hint(String(path.dropFirst(inbox.count + 1)))
        } else if path == spool.queues.path {
            mustRefreshQueues = true
        } else if path == spool.schedules.path {
            mustRefreshSchedules = true
        } else if path == spool.agents.path {
            mustRefreshAgents = true
        } else if path == spool.sessionDefinitions.path {
            mustRefreshSessions = true
        } else if path.hasPrefix(spool.sessions.path + "/") {
            hear(String(path.dropFirst(spool.sessions.path.count + 1)))
        } else if path == spool.daemon.path {
            checkPause()
        }
    }

    func checkPause() {
        guard !isStopping, !isDraining else { return }
        let isPaused = spool.daemon.contains(SpoolLayout.Daemon.pause)
        guard isPaused != scheduler.isPaused else { return }
        scheduler.isPaused = isPaused
        logger.info(isPaused ? "paused: daemon/PAUSE is there, nothing is started" : "going on: daemon/PAUSE is gone")
        ledger.events.append(isPaused ? "paused" : "unpaused")
        statusChanged()
    }

    /// Before a job whose runner could not begin is given to another: what was in its way may be in that one's, too.
    private static let pause = TimeSpan.seconds(5)

    func ended(_ id: JobID, _ attempt: Int, _ ending: Runners.Ending) {
        statusChanged()
        do {
            switch ending {
            case .exited(let exit): try finisher.attemptEnded(id, exit)
            case .vanished: try rescuer.examine(id, pause: Self.pause)
            case .refused(let reason):
                logger.warning("the runner did not run \(id): \(reason)")
                try finisher.attemptNeverBegan(id, pause: Self.pause)
            }
        } catch let fault as SystemFault where fault.isMissing && !spool.directory(of: .running).contains(id.text) {
            logger.warning("\(id) ended, and its directory is gone from running/")
            ledger.erase(id)
        } catch {
            // Its exit.json stays; the step is taken again when it can be.
            stalled(error)
        }
        if isDraining, awaited > 0 { logger.info("waiting for \(runningJobs)") }
        if awaited == 0 { stopWaiting() }
    }

    func accepted(_ row: JobRow, _ task: TaskRecord) {
        status.countAccepted()
        statusChanged()
        if task.isControl {
            controls.append(task)
            // Before the next file is taken in: a verb acts on what came before it, and a batch holds its keys from now on.
            do { try performControls() } catch { stalled(error) }
        }
        if row.verb == "wake" { do { try wakes.accepted(task) } catch { stalled(error) } }
        if row.state.isFinished { return finished(row) }
        waiting.reconsiderWaiters(for: row)
    }

    func queuedAgain(_ row: JobRow) {
        if !row.runs, let task = try? TaskRecord.read(JSONReader.read(row.task)) { controls.append(task) }
        statusChanged()
        waiting.reconsiderWaiters(for: row)
    }

    func finished(_ row: JobRow) {
        statusChanged()
        if let outcome = row.outcome { status.countFinished(outcome) }
        waiting.reconsiderWaiters(for: row)
    }

    func reply(_ id: JobID, _ path: String, _ bytes: [UInt8]) {
        guard replying.insert(id).inserted else { return }
        let roots = ledger.ask(nil) { try $0.job(id) }.map { queues[$0.queue].replyRoots } ?? []
        courier.put(bytes, at: path, within: roots) { [loop, weak self] fault in
            loop.post { [weak self] in self?.assumeIsolated { $0.replied(id, path, fault) } }
        }
    }

    func replied(_ id: JobID, _ path: String, _ fault: SystemFault?) {
        replying.remove(id)
        // The next daemon puts it again.
        guard isActive else { return }
        if let fault {
            logger.warning("the reply of \(id) could not be put: \(fault)")
            ledger.events.append("reply_failed", job: id, ["path": .string(path), "message": .string(fault.description)])
        }
        do {
            guard let state = spool.state(of: id), !state.isFinished else { return }
            let job = try spool.job(id, in: state)
            guard let task = try job.readTask(), let result = try job.readResult() else { return }
            try finisher.settle(task, in: state, result)
        } catch { stalled(error) }
    }
}
