import CLinux
import Glibc
import JobIndex
import JobRunner
import Logging
import SpoolFormat
import SpoolWatch

// What is done at the start, and when configuration changes.
extension Reconciler {
    /// What can't be repaired for want of room is repaired when there is some: it does not keep the daemon from serving.
    func recover() {
        func step(_ body: () throws -> Void) { do { try body() } catch { stalled(error) } }
        step { try repairIndex() }
        step { try refreshConfiguration() }
        step { try sessionBook.load() }
        step { try finishHalfDone() }
        // After that: its new process may have been on its way, in `.staging/`.
        for session in sessionBook.all where session.record.mustRestart && session.turn == nil && session.process == nil {
            step { try sessionController.startAgain(session) }
        }
        step { try rescuer.reconsiderWaiters() }
        forgetting.begin()
    }

    /// Brings the index up to what the directories say; the first time also the directories up to the index, where a
    /// power cut has taken what was promised.
    func repairIndex() throws {
        guard mustRecoverIndex else { return reportRepaired(try rescuer.reconcile()) }
        ledger.indexFellBehind()
        let boot = ProcessIdentity.currentBootID
        if settings.mustRebuildIndex {
            let count = try rescuer.rebuild()
            if count > 0 { logger.notice("built the index anew from the files of \(count) jobs") }
        } else {
            let wasClean = try ledger.store.fact("clean") == "yes"
            if let last = try ledger.store.fact("boot_id"), last != boot, !wasClean {
                logger.notice("the machine went down while a daemon was running; putting back what the index remembers")
                try rescuer.recoverFromPowerCut()
            }
            reportRepaired(try rescuer.reconcile())
        }
        try ledger.store.setFact("boot_id", boot)
        try ledger.store.setFact("clean", nil)
        try ledger.store.commit()
        mustRecoverIndex = false
    }

    private func reportRepaired(_ count: Int) {
        if count > 0 { logger.notice("the index had \(count) jobs wrong; the directories count") }
    }

    func refreshConfiguration() throws {
        if mustRefreshQueues {
            mustRefreshQueues = false
            let unopened = unopenedInboxes
            try queues.refresh { change in
                report("queue", change.name, isThere: change.value != nil, change.fault)
                if let queue = change.value { try openInbox(change.name, queue) } else { unopenedInboxes[change.name] = nil }
            }
            for name in unopened.keys where unopenedInboxes[name] == unopened[name] { try openInbox(name, queues[name]) }
        }
        if mustRefreshAgents {
            mustRefreshAgents = false
            try agentBook.refresh {
                report("agent", $0.name, isThere: $0.value != nil, $0.fault)
                if $0.fault == nil { sessionBook.agentChanged($0.name) }
            }
        }
        if mustRefreshSessions {
            mustRefreshSessions = false
            try sessionBook.refresh { report("session", $0.name, isThere: $0.value != nil, $0.fault) }
        }
        if mustRefreshSchedules {
            mustRefreshSchedules = false
            dueIsStale = true
            try schedules.refresh { report("schedule", $0.name, isThere: $0.value != nil, $0.fault) }
        }
    }

    func report(_ kind: String, _ name: String, isThere: Bool, _ fault: RejectionRecord?) {
        let file = "\(kind)s/\(name).json"
        if let fault {
            let place = fault.position.map { " at line \($0.line), column \($0.column)" } ?? ""
            let hint = fault.hint.map { " (\($0))" } ?? ""
            let last = isThere ? "; the last good one stays in force (daemon/config/\(file))" : ""
            logger.error("config/\(file) is refused\(place): \(fault.message)\(hint)\(last)")
            ledger.events.append("config_refused", ["file": .string(file), "message": .string(fault.message)])
        } else {
            logger.info("config/\(file) is \(isThere ? "in force" : "gone")")
            ledger.events.append(isThere ? "config_applied" : "config_removed", ["file": .string(file)])
        }
    }

    /// A queue that is configured has an inbox, with the mode and the group that the configuration says. Where it can't
    /// have them, that is said, and tried again at the next look.
    func openInbox(_ name: String, _ queue: QueueConfiguration) throws {
        guard queue.mode != nil || queue.group != nil || name != Defaults.queue else { return }
        let inbox = name == Defaults.queue ? spool.inbox : try spool.inbox.directory(makingIfMissing: name)
        let failure = Self.failure(toOpen: inbox, as: queue)
        intake.hint(nil)
        guard failure != unopenedInboxes[name] else { return }
        unopenedInboxes[name] = failure
        guard let failure else { return try queues.complain(name, nil) }
        logger.error("config/queues/\(name).json: \(failure)")
        ledger.events.append("inbox_not_opened", ["file": .string("queues/\(name).json"), "message": .string(failure)])
        try queues.complain(name, RejectionRecord(
            code: "inbox_not_opened", message: failure, file: name + ".json",
            hint: "the rest of the configuration is in force; make the group, or let the daemon's user be in it, or chmod \(inbox.path) by hand"))
    }

    private static func failure(toOpen inbox: Directory, as queue: QueueConfiguration) -> String? {
        if let group = queue.group {
            guard let entry = getgrnam(group) else { return "there is no group \(group)" }
            if fchown(inbox.descriptor, uid_t.max, entry.pointee.gr_gid) != 0 {
                return "\(SystemFault("give to the group \(group)", inbox.path))"
            }
        }
        if let mode = queue.mode, fchmod(inbox.descriptor, mode) != 0 { return "\(SystemFault("set the mode of", inbox.path))" }
        return nil
    }

    func watchDirectories() {
        // A drop is then seen without the way over the watcher's thread, which is 0.1 ms of an idle daemon's answer.
        if let events = watcher.eventDescriptor {
            loop.watchArrivals(on: events) { [weak self] in self?.assumeIsolated { $0.intake.hintFew() } }
        }
        // The root, because a directory that is held open does not say that it was removed; the one above it does.
        for directory in [spool.root, spool.inbox] { watcher.watch(directory.path) }
        // Where a file that is gone means something, too.
        for directory in [spool.queues, spool.schedules, spool.agents, spool.sessionDefinitions, spool.daemon] { watcher.watch(directory.path, for: .departures) }
    }

    func watchInboxes(_ names: [String]) {
        for name in names where watchedInboxes.insert(name).inserted { watcher.watch(spool.inbox.path + "/" + name) }
        for name in watchedInboxes.subtracting(names) {
            watchedInboxes.remove(name)
            watcher.unwatch(WatchToken(spool.inbox.path + "/" + name))
        }
    }
}
