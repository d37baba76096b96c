import CLinux
import Glibc
import JobIndex
import JobRunner
import Logging
import SpoolFormat
import SpoolWatch

/// The loop that compares what the files say with what should be, and acts on the difference.
///
/// It lives on one thread. Hints, messages of runners and due times mark what is to be looked at; at the end of each
/// round every component that has something to do does a batch of it, then events and index are written once for all.
/// Every step can be done again at any time.
actor Reconciler {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let settings: DaemonSettings
    private let logger: Logger
    private let spool: Spool
    private let ledger: Ledger
    private let sync: IndexSync
    private let janitor: Janitor
    private let watcher: DirectoryWatcher
    private let queues: QueueBook
    private let descriptors: Descriptors
    private let runners: Runners
    private let requeue: Requeue
    private let finisher: Finisher
    private let controller: Controller
    private let waiting: Waiting
    private let scheduler: Scheduler
    private let intake: Intake
    private let rescuer: Rescuer
    private let forgetting: Forgetting
    private let schedules: ScheduleKeeper
    private let status: StatusFiles

    private var sweepAlarm: Alarm?
    private var dueAlarm: Alarm?
    private var settleAlarm: Alarm?
    private var retryAlarm: Alarm?
    private var statusAlarm: Alarm?
    private var children: ChildSignals?
    private var isStatusDue = false

    private var isActive = false
    private var isStopping = false
    private var controls: [TaskRecord] = []
    private var replying: Set<JobID> = []
    private var mustRefreshQueues = true
    private var mustRefreshSchedules = true
    private var fault: String?
    private var faults = 0
    /// Starts that must be on disk before they begin, and could not be put there.
    private var postponed: [(id: JobID, attempt: Int)] = []
    private var drained: CheckedContinuation<Void, Never>?

    init(
        settings: DaemonSettings, logger: Logger, loop: EventLoop, spool: sending Spool, store: sending any JobStore, sync: IndexSync,
        watcher: DirectoryWatcher
    ) throws {
        self.settings = settings
        self.logger = logger
        self.loop = loop
        self.spool = spool
        self.sync = sync
        self.watcher = watcher
        janitor = try Janitor(staging: spool.staging)
        let ledger = try Ledger(spool: spool, store: store)
        self.ledger = ledger
        let queues = QueueBook(spool)
        self.queues = queues
        let requeue = Requeue(ledger: ledger)
        self.requeue = requeue
        let finisher = Finisher(ledger: ledger, requeue: requeue)
        self.finisher = finisher
        let descriptors = Descriptors(on: loop)
        self.descriptors = descriptors
        let runners = Runners(executable: settings.runner, spool: spool.path, descriptors: descriptors)
        self.runners = runners
        controller = Controller(ledger: ledger, queues: queues, finisher: finisher, requeue: requeue, runners: runners)
        waiting = Waiting(ledger: ledger, finisher: finisher)
        scheduler = Scheduler(ledger: ledger, queues: queues, runners: runners)
        intake = Intake(ledger: ledger, queues: queues, retry: requeue)
        rescuer = Rescuer(ledger: ledger, finisher: finisher, runners: runners, controller: controller, waiting: waiting)
        forgetting = Forgetting(ledger: ledger, queues: queues)
        schedules = ScheduleKeeper(spool: spool, events: ledger.events)
        status = StatusFiles(spool)
    }

    // MARK: life

    /// Repairs what is there, then begins.
    func start() throws {
        connect()
        try recover()
        armAlarms()
        watchDirectories()
        scheduler.isPaused = spool.daemon.contains(SpoolLayout.Daemon.pause)
        intake.hintAll()
        isActive = true
        loop.afterEachRound { [weak self] in self?.assumeIsolated { $0.endRound() } }
        ledger.events.append("daemon_started", ["pid": .number(getpid()), "version": .string(Rouse.version)])
        try runners.keepWaiting(min(QueueBook.cores, 8))
        logger.info("serving \(spool.path)", metadata: ["pid": "\(getpid())", "version": "\(Rouse.version)"])
    }

    /// What a daemon does at its end with the jobs that run.
    enum Farewell: Sendable {
        case leaveJobs, drain, killJobs
    }

    /// Stops taking in and starting, deals with what runs, and writes the last words.
    func stop(_ farewell: Farewell) async {
        isStopping = true
        scheduler.isPaused = true
        if farewell != .leaveJobs, runners.count > 0 {
            logger.info("\(farewell == .drain ? "waiting for" : "ending") \(runners.count) running jobs")
            if farewell == .killJobs { endRunning() }
            await withCheckedContinuation { continuation in
                if runners.count == 0 { continuation.resume() } else { drained = continuation }
            }
        }
        ledger.events.append("daemon_stopped", ["pid": .number(getpid()), "left_running": .number(runners.count)])
        logger.info("stopping", metadata: ["left_running": "\(runners.count)"])
        endRound()
        isActive = false
        loop.afterEachRound(nil)
        children?.stop()
        runners.letGo()
        writeStatus(isRunning: false)
        try? ledger.store.setFact("clean", "yes")
        try? ledger.store.commit()
    }

    /// Gives up waiting for running jobs; they go on alone.
    func stopWaiting() {
        drained?.resume()
        drained = nil
    }

    /// Ends the threads that belong to the reconciler. After `stop`.
    nonisolated func join() {
        watcher.stop()
        janitor.stop()
        sync.stop()
        loop.stop()
    }

    private func endRunning() {
        for row in ledger.ask([], { try $0.list(JobFilter(states: [.running])) }) {
            controller.end(row, because: "the daemon is stopping")
        }
    }

    // MARK: wiring

    private func connect() {
        descriptors.forward = { [weak self] descriptor in self?.assumeIsolated { $0.descriptors.ready(descriptor) } }
        runners.onEnd = { [unowned self] id, attempt, ending in self.assumeIsolated { $0.ended(id, attempt, ending) } }
        finisher.reply = { [unowned self] id, path, bytes in self.assumeIsolated { $0.reply(id, path, bytes) } }
        finisher.onFinished = { [unowned self] row in self.assumeIsolated { $0.finished(row) } }
        controller.reconsider = { [waiting] id in waiting.reconsider(id) }
        requeue.onQueuedAgain = { [unowned self] row in self.assumeIsolated { $0.queuedAgain(row) } }
        intake.onAccepted = { [unowned self] row, task in self.assumeIsolated { $0.accepted(row, task) } }
        intake.onSuperseded = { [controller] rows, id in controller.supersede(rows, by: id) }
        intake.onInboxes = { [unowned self] names in self.assumeIsolated { $0.watchInboxes(names) } }
        rescuer.warn = { [logger] in logger.warning("\($0)") }
        forgetting.remove = { [janitor] in janitor.remove($0) }
    }

    private func armAlarms() {
        func alarm(wallClock: Bool = false, _ body: @escaping @Sendable (isolated Reconciler) -> Void) -> Alarm {
            Alarm(on: loop, wallClock: wallClock) { [weak self] in self?.assumeIsolated(body) }
        }
        sweepAlarm = alarm { $0.sweep() }
        dueAlarm = alarm(wallClock: true) { $0.due() }
        settleAlarm = alarm { $0.intake.lookAtUnsettled() }
        retryAlarm = alarm { $0.tryAgain() }
        statusAlarm = alarm { $0.writeStatus(isRunning: true) }
        sweepAlarm?.set(after: settings.sweep)
        children = ChildSignals { [loop] in loop.post { ChildReaper.reapAll() } }
    }

    // MARK: what arrives

    /// A directory is to be looked at again; `nil` is all of them. On the loop's thread.
    /// - Parameter reopening: the path may lead to another directory than before.
    func look(at path: String?, reopening: Bool) {
        if reopening {
            do { try spool.reopen() } catch { stalled(error) }
        }
        guard let path else {
            intake.hintAll()
            (mustRefreshQueues, mustRefreshSchedules) = (true, true)
            return checkPause()
        }
        let inbox = spool.inbox.path
        if path == inbox {
            intake.hint(nil)
        } else if path.hasPrefix(inbox + "/") {
            intake.hint(String(path.dropFirst(inbox.utf8.count + 1)))
        } else if path == spool.queues.path {
            mustRefreshQueues = true
        } else if path == spool.schedules.path {
            mustRefreshSchedules = true
        } else if path == spool.daemon.path {
            checkPause()
        }
    }

    private func checkPause() {
        guard !isStopping else { return }
        let isPaused = spool.daemon.contains(SpoolLayout.Daemon.pause)
        guard isPaused != scheduler.isPaused else { return }
        scheduler.isPaused = isPaused
        logger.info(isPaused ? "paused: daemon/PAUSE is there, nothing is started" : "going on: daemon/PAUSE is gone")
        ledger.events.append(isPaused ? "paused" : "unpaused")
        statusChanged()
    }

    private func ended(_ id: JobID, _ attempt: Int, _ ending: Runners.Ending) {
        statusChanged()
        do {
            switch ending {
            case .exited(let exit): try finisher.attemptEnded(id, exit)
            case .vanished: try rescuer.examine(id)
            case .refused(let reason):
                logger.warning("the runner would not run \(id): \(reason)")
                try finisher.attemptLost(id, attempt: attempt)
            }
        } catch let fault as SystemFault where fault.isMissing {
            logger.warning("\(id) ended, and its directory is gone from running/")
            ledger.erase(id)
        } catch {
            // Its exit.json stays; the step is taken again when it can be.
            stalled(error)
        }
        if runners.count == 0 { stopWaiting() }
    }

    private func accepted(_ row: JobRow, _ task: TaskRecord) {
        status.countAccepted()
        statusChanged()
        if task.isControl { controls.append(task) }
        if row.state.isFinished { return finished(row) }
        waiting.reconsiderWaiters(for: row)
    }

    private func queuedAgain(_ row: JobRow) {
        statusChanged()
        waiting.reconsiderWaiters(for: row)
    }

    private func finished(_ row: JobRow) {
        statusChanged()
        if let outcome = row.outcome { status.countFinished(outcome) }
        waiting.reconsiderWaiters(for: row)
    }

    private func reply(_ id: JobID, _ path: String, _ bytes: [UInt8]) {
        guard replying.insert(id).inserted else { return }
        janitor.put(bytes, at: path) { [loop, weak self] fault in
            loop.post { [weak self] in self?.assumeIsolated { $0.replied(id, path, fault) } }
        }
    }

    private func replied(_ id: JobID, _ path: String, _ fault: SystemFault?) {
        replying.remove(id)
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

    // MARK: rounds

    private func endRound() {
        guard isActive else { return }
        var failure: (any Error)?
        func step(_ body: () throws -> Void) {
            do { try body() } catch { failure = failure ?? error }
        }
        if !isStopping {
            step { try refreshConfiguration() }
            step { if intake.hasMore, !ledger.isIndexBehind { try intake.work() } }
            step { try performControls() }
        }
        step { if waiting.hasMore, !ledger.isIndexBehind { try waiting.work() } }
        step { try scheduler.fill() }
        step { if !isStopping { try forgetting.work() } }
        step { try keepRunnersWaiting() }
        let (committed, writeFault) = ledger.endRound()
        if let writeFault { failure = failure ?? writeFault }
        if committed { makeDurable() }
        if let failure { return stalled(failure) }
        if ledger.isIndexBehind { return stalled(DaemonFault("the index is behind the files")) }
        recovered()
        if let wait = intake.nextLook { settleAlarm?.set(after: wait) }
        if committed || dueIsStale { setDueAlarm() }
        if (intake.hasMore && !isStopping) || waiting.hasMore || forgetting.hasMore || !controls.isEmpty { loop.post {} }
    }

    private func performControls() throws {
        while let task = controls.first {
            try controller.perform(task)
            controls.removeFirst()
        }
    }

    /// A runner that waits is what a job's start costs least with; a few, for a few at once.
    private func keepRunnersWaiting() throws {
        guard !isStopping else { return }
        let most = max(2, QueueBook.cores + 1)
        if runners.idleCount == 0 { try runners.keepWaiting(1) }
        if runners.idleCount > most { try runners.keepWaiting(most) }
    }

    /// Puts the round on disk, without waiting for it; then lets those begin that may only begin once.
    private func makeDurable() {
        let starts = scheduler.takeUnsynced()
        sync.request { [loop, weak self] result in
            if starts.isEmpty, case .success = result { return }
            loop.post { [weak self] in self?.assumeIsolated { $0.synced(starts, result) } }
        }
    }

    private var cannotSync = false

    private func synced(_ starts: [(id: JobID, attempt: Int)], _ result: Result<Void, SystemFault>) {
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

    // MARK: times

    private var dueIsStale = true

    private func setDueAlarm() {
        dueIsStale = false
        let times = [ledger.ask(nil) { try $0.nextDue() }, schedules.nextDue]
        // What is due and has not gone on (there may be more than a round takes) is looked at again, not all the time.
        let soonest = Timestamp.now + TimeSpan(milliseconds: 20)
        dueAlarm?.set(at: times.compactMap(\.self).min().map { max($0, soonest) })
    }

    private func due() {
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
            try intake.recoverStaging()
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
    private func stalled(_ error: any Error) {
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

    private func tryAgain() {
        let starts = postponed
        postponed = []
        if !starts.isEmpty { synced(starts, .failure(SystemFault("sync", "the index", errno: EIO))) }
        do {
            if ledger.isIndexBehind { _ = try rescuer.reconcile() }
            try intake.recoverStaging()
            try rescuer.finishSteps()
            look(at: nil, reopening: true)
        } catch { stalled(error) }
    }

    private func recovered() {
        guard fault != nil else { return }
        fault = nil
        faults = 0
        logger.notice("it works again")
        ledger.events.append("unstalled")
        statusChanged()
    }

    // MARK: start and configuration

    private func recover() throws {
        let boot = ProcessIdentity.currentBootID
        if settings.mustRebuildIndex {
            let count = try rescuer.rebuild()
            if count > 0 { logger.notice("built the index anew from the files of \(count) jobs") }
        } else {
            let wasClean = try ledger.store.fact("clean") == "yes"
            if try !wasClean && ledger.store.fact("boot_id") != boot {
                logger.notice("the machine went down while a daemon was running; putting back what the index remembers")
                try rescuer.recoverFromPowerCut()
            }
            let repaired = try rescuer.reconcile()
            if repaired > 0 { logger.notice("the index had \(repaired) jobs wrong; the directories count") }
        }
        try ledger.store.setFact("boot_id", boot)
        try ledger.store.setFact("clean", nil)
        try ledger.store.commit()
        try refreshConfiguration()
        try forgetting.recover()
        try intake.recoverStaging()
        try Rejecter(ledger: ledger).completeReasons()
        try rescuer.finishSteps()
        try rescuer.reconsiderWaiters()
        forgetting.begin()
    }

    private func refreshConfiguration() throws {
        if mustRefreshQueues {
            mustRefreshQueues = false
            for change in try queues.refresh() {
                report("queue", change.name, isThere: change.value != nil, change.fault)
                if let queue = change.value { try openInbox(change.name, queue) }
            }
        }
        if mustRefreshSchedules {
            mustRefreshSchedules = false
            dueIsStale = true
            for change in try schedules.refresh() { report("schedule", change.name, isThere: change.value != nil, change.fault) }
        }
    }

    private func report(_ kind: String, _ name: String, isThere: Bool, _ fault: RejectionRecord?) {
        if let fault {
            let place = fault.position.map { " at line \($0.line), column \($0.column)" } ?? ""
            logger.error("config/\(kind)s/\(name).json is refused\(place): \(fault.message)\(isThere ? "; the last good one stays in force" : "")")
            ledger.events.append("config_refused", ["file": .string("\(kind)s/\(name).json"), "message": .string(fault.message)])
        } else {
            logger.info("config/\(kind)s/\(name).json is \(isThere ? "in force" : "gone")")
            ledger.events.append(isThere ? "config_applied" : "config_removed", ["file": .string("\(kind)s/\(name).json")])
        }
    }

    /// A queue that is configured has an inbox, with the mode and the group that the configuration says.
    private func openInbox(_ name: String, _ queue: QueueConfiguration) throws {
        guard queue.mode != nil || queue.group != nil || name != Defaults.queue else { return }
        let inbox = name == Defaults.queue ? spool.inbox : try spool.inbox.directory(makingIfMissing: name)
        if let group = queue.group {
            guard let entry = getgrnam(group) else { return logger.error("config/queues/\(name).json: there is no group \(group)") }
            fchown(inbox.descriptor, uid_t.max, entry.pointee.gr_gid)
        }
        if let mode = queue.mode { fchmod(inbox.descriptor, mode) }
        intake.hint(nil)
    }

    private func watchDirectories() {
        // The root, because a directory that is held open does not say that it was removed; the one above it does.
        for directory in [spool.root, spool.inbox] { watcher.watch(directory.path) }
        // Where a file that is gone means something, too.
        for directory in [spool.queues, spool.schedules, spool.daemon] { watcher.watch(directory.path, for: .departures) }
    }

    private var watchedInboxes: Set<String> = []

    private func watchInboxes(_ names: [String]) {
        for name in names where watchedInboxes.insert(name).inserted { watcher.watch(spool.inbox.path + "/" + name) }
        for name in watchedInboxes.subtracting(names) {
            watchedInboxes.remove(name)
            watcher.unwatch(WatchToken(spool.inbox.path + "/" + name))
        }
    }

    // MARK: status

    /// The status files follow within seconds: writing them for every job would cost more than the jobs.
    private func statusChanged() {
        guard !isStatusDue else { return }
        isStatusDue = true
        statusAlarm?.set(after: .seconds(2))
    }

    private func writeStatus(isRunning: Bool) {
        isStatusDue = false
        do {
            try status.write(
                isRunning: isRunning, isPaused: scheduler.isPaused && !isStopping, version: Rouse.version,
                counts: ledger.ask([]) { try $0.counts() }, runners: runners.count, fault: fault)
        } catch { logger.error("\(error)") }
    }
}
