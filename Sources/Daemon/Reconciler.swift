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

    let settings: DaemonSettings
    let logger: Logger
    let spool: Spool
    let ledger: Ledger
    let sync: IndexSync
    let janitor: Janitor
    let courier = Courier()
    let watcher: DirectoryWatcher
    let queues: QueueBook
    let descriptors: Descriptors
    let runners: Runners
    let requeue: Requeue
    let finisher: Finisher
    let controller: Controller
    let waiting: Waiting
    let scheduler: Scheduler
    let staging: Staging
    let intake: Intake
    let rescuer: Rescuer
    let forgetting: Forgetting
    let schedules: ScheduleKeeper
    let agentBook: AgentBook
    let sessionBook: SessionBook
    let wakes: Wakes
    let keepers: Keepers
    let turns: Turns
    let sessionController: SessionController
    let status: StatusFiles

    var sweepAlarm: Alarm?
    var dueAlarm: Alarm?
    var settleAlarm: Alarm?
    var retryAlarm: Alarm?
    var statusAlarm: Alarm?
    /// A wake that was gathered is to be delivered, or a process that has died to be started again.
    var wakeAlarm: Alarm?
    /// An interrupt has not worked in time.
    var interruptAlarm: Alarm?
    /// The reports of agents' hooks that turns were told of.
    var reportsSeen: [String: FileStatus] = [:]
    var commitAlarm: Alarm?
    /// Nothing has come for a moment.
    var blankAlarm: Alarm?
    var children: ChildSignals?
    var isStatusDue = false
    /// Rows have waited long enough for others.
    var isCommitDue = false
    var isCommitAlarmSet = false

    var isActive = false
    var isStopping = false
    /// Nothing is started any more; all else goes on until what runs has ended.
    var isDraining = false
    var controls: [TaskRecord] = []
    var replying: Set<JobID> = []
    var mustRefreshQueues = true
    var mustRefreshSchedules = true
    var mustRefreshAgents = true
    var mustRefreshSessions = true
    var fault: String?
    /// The error codes that have been told of since all was well; 0 is another fault.
    var faultsSaid: Set<Int32> = []
    var faults = 0
    /// In this round.
    var hasFailed = false
    var isTryingAgain = false
    var isRetrySet = false
    /// Nothing is taken in before the next try.
    var isIntakeHeld = false
    /// The index has not been brought up to the files since the start.
    var mustRecoverIndex = true
    /// Starts that must be on disk before they begin, and could not be put there.
    var postponed: [(id: JobID, attempt: Int)] = []
    var cannotSync = false
    var dueIsStale = true
    var watchedInboxes: Set<String> = []
    /// Queues whose inbox can't have the mode or the group that is said, with the reason.
    var unopenedInboxes: [String: String] = [:]
    var drained: CheckedContinuation<Void, Never>?

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
        let agentBook = AgentBook(spool)
        self.agentBook = agentBook
        let sessionBook = SessionBook(ledger)
        self.sessionBook = sessionBook
        let admission = Admission(ledger: ledger, queues: queues, agents: agentBook, sessions: sessionBook)
        let controller = Controller(ledger: ledger, admission: admission, finisher: finisher, requeue: requeue, runners: runners)
        self.controller = controller
        waiting = Waiting(ledger: ledger, finisher: finisher)
        scheduler = Scheduler(ledger: ledger, queues: queues, runners: runners)
        let staging = Staging(ledger: ledger, admission: admission, requeue: requeue)
        self.staging = staging
        let wakes = Wakes(ledger: ledger, sessions: sessionBook, staging: staging, timing: settings.wakeTiming)
        self.wakes = wakes
        keepers = Keepers(ledger: ledger, staging: staging, agents: agentBook, program: settings.agent)
        turns = Turns(ledger: ledger, sessions: sessionBook, agents: agentBook, keepers: keepers, wakes: wakes, program: settings.agent)
        sessionController = SessionController(
            ledger: ledger, sessions: sessionBook, keepers: keepers, control: TurnControl(ledger: ledger), cancel: { try controller.cancel($0) })
        intake = Intake(ledger: ledger, staging: staging, requeue: requeue)
        rescuer = Rescuer(ledger: ledger, finisher: finisher, runners: runners, controller: controller, waiting: waiting)
        forgetting = Forgetting(ledger: ledger, queues: queues, archiver: Archiver(spool: spool) { [janitor] in janitor.remove($0) })
        schedules = ScheduleKeeper(spool: spool, events: ledger.events)
        status = StatusFiles(spool)
    }

    // MARK: life

    /// Repairs what is there, then begins.
    func start() throws {
        connect()
        armAlarms()
        spool.blanks.discardLeftovers()
        recover()
        watchDirectories()
        scheduler.isPaused = spool.daemon.contains(SpoolLayout.Daemon.pause)
        intake.hintAll()
        isActive = true
        loop.afterEachRound { [weak self] in self?.assumeIsolated { $0.endRound() } }
        ledger.events.append("daemon_started", ["pid": .number(getpid()), "version": .string(Rouse.version)])
        do { try runners.keepWaiting(min(QueueBook.cores, 8)) } catch { stalled(error) }
        writeStatus(isRunning: true)
        logger.info("serving \(spool.path)", metadata: ["pid": "\(getpid())", "version": "\(Rouse.version)"])
    }

    /// What a daemon does at its end with the jobs that run.
    enum Farewell: Sendable {
        case leaveJobs, drain, killJobs
    }

    /// Stops starting, deals with what runs, and writes the last words. While it waits for what runs, verbs are still
    /// obeyed: what hangs may have to be cancelled.
    func stop(_ farewell: Farewell) async {
        scheduler.isPaused = true
        isDraining = farewell == .drain
        isStopping = !isDraining
        if farewell != .leaveJobs, awaited > 0 {
            logger.info("\(farewell == .drain ? "waiting for" : "ending") \(runningJobs)")
            if farewell == .killJobs { endRunning() }
            await withCheckedContinuation { continuation in
                if awaited == 0 { continuation.resume() } else { drained = continuation }
            }
        }
        isStopping = true
        ledger.events.append("daemon_stopped", ["pid": .number(getpid()), "left_running": .number(runners.count)])
        logger.info("stopping", metadata: ["left_running": "\(runners.count)"])
        endRound()
        isActive = false
        loop.afterEachRound(nil)
        children?.stop()
        runners.letGo()
        writeStatus(isRunning: false)
        spool.blanks.discard()
        for alarm in [sweepAlarm, dueAlarm, settleAlarm, retryAlarm, statusAlarm, wakeAlarm, interruptAlarm, commitAlarm, blankAlarm] { alarm?.cancel() }
        closeIndex()
    }

    /// Jobs whose end is waited for. The process of a session has none of its own.
    var awaited: Int { isDraining ? runners.count - sessionBook.processes : runners.count }
    var runningJobs: String { "\(awaited) running \(awaited == 1 ? "job" : "jobs")" }

    private func closeIndex() {
        do {
            // Only what is on disk may be taken for complete by the next daemon.
            if rouse_syncfs(spool.root.descriptor) == 0 {
                try ledger.store.setFact("clean", "yes")
                try ledger.store.commit()
            }
            try ledger.store.close()
        } catch { logger.error("\(error)") }
    }

    /// Gives up waiting for running jobs; they go on alone.
    func stopWaiting() {
        drained?.resume()
        drained = nil
    }

    /// Ends the threads that belong to the reconciler. After `stop`.
    nonisolated func join() {
        if let events = watcher.eventDescriptor { loop.forget(events) }
        watcher.stop()
        janitor.stop()
        sync.stop()
        loop.stop()
    }

    func endRunning() {
        for row in ledger.ask([], { try $0.list(JobFilter(states: [.running])) }) {
            controller.end(row, because: "the daemon is stopping")
        }
    }

    // MARK: wiring

    func connect() {
        connectSessions()
        descriptors.forward = { [weak self] descriptor in self?.assumeIsolated { $0.descriptors.ready(descriptor) } }
        runners.onEnd = { [unowned self] id, attempt, ending in self.assumeIsolated { $0.ended(id, attempt, ending) } }
        finisher.reply = { [unowned self] id, path, bytes in self.assumeIsolated { $0.reply(id, path, bytes) } }
        finisher.onFinished = { [unowned self] row in self.assumeIsolated { $0.finished(row) } }
        controller.reconsider = { [waiting] id in waiting.reconsider(id) }
        requeue.onQueuedAgain = { [unowned self] row in self.assumeIsolated { $0.queuedAgain(row) } }
        staging.willQueue = { [scheduler] in scheduler.prepare($0) }
        staging.finish = { [finisher] task, result in try finisher.finish(task, in: .waiting, result) }
        scheduler.onOver = { [finisher] task, result in try finisher.finish(task, in: .queued, result) }
        scheduler.onExpired = { [finisher] row in
            let task = try TaskRecord.read(JSONReader.read(row.task))
            let error = ErrorRecord("expired", "it was not started before \(row.expiresAt ?? .now)")
            try finisher.finish(task, in: .queued, ResultRecord(
                id: row.id, outcome: .expired, error: error, attempts: row.attempts, queuedAt: row.acceptedAt, finishedAt: .now))
        }
        intake.isGuarded = { [runners] in runners.isGuarded($0) }
        staging.onAccepted = { [unowned self] row, task in self.assumeIsolated { $0.accepted(row, task) } }
        controller.onAccepted = { [unowned self] row, task in self.assumeIsolated { $0.accepted(row, task) } }
        waiting.onSuperseded = { [controller] rows, id in controller.supersede(rows, by: id) }
        staging.onSuperseded = { [controller] rows, id in controller.supersede(rows, by: id) }
        intake.onInboxes = { [unowned self] names in self.assumeIsolated { $0.watchInboxes(names) } }
        rescuer.warn = { [logger] in logger.warning("\($0)") }
        schedules.warn = { [logger] in logger.warning("\($0)") }
    }

    func armAlarms() {
        func alarm(wallClock: Bool = false, _ body: @escaping @Sendable (isolated Reconciler) -> Void) -> Alarm {
            Alarm(on: loop, wallClock: wallClock) { [weak self] in self?.assumeIsolated(body) }
        }
        sweepAlarm = alarm { $0.sweep() }
        dueAlarm = alarm(wallClock: true) { $0.due() }
        settleAlarm = alarm { $0.lookAtUnsettled() }
        retryAlarm = alarm { $0.tryAgain() }
        wakeAlarm = alarm { _ in }
        interruptAlarm = alarm(wallClock: true) { $0.interruptAlarm?.wentOff() }
        statusAlarm = alarm { $0.writeStatus(isRunning: true) }
        commitAlarm = alarm { $0.isCommitDue = true }
        blankAlarm = alarm { $0.spool.blanks.fill() }
        sweepAlarm?.set(after: settings.sweep)
        children = ChildSignals { [loop] in loop.post { ChildReaper.reapAll() } }
    }

    // MARK: status

    /// The status files follow within seconds: writing them for every job would cost more than the jobs.
    func statusChanged() {
        guard !isStatusDue else { return }
        isStatusDue = true
        statusAlarm?.set(after: .seconds(2))
    }

    func writeStatus(isRunning: Bool) {
        isStatusDue = false
        do {
            try status.write(
                isRunning: isRunning, isPaused: scheduler.isPaused && !isStopping && !isDraining, version: Rouse.version,
                counts: ledger.ask([]) { try $0.counts() }, sessions: sessionBook.counts, rejections: ledger.rejections, runners: runners.count, fault: fault)
            if fault == nil { faultsSaid = [] }
        } catch { if isNews(error) { logger.error("\(error)") } }
    }
}
