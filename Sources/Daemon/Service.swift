import CLinux
import Dispatch
import Glibc
import JobIndex
import JobRunner
import Logging
import ServiceLifecycle
import SpoolFormat
import SpoolWatch
import UnixSignals

/// Serves a spool until INT or TERM comes.
public enum Serve {
    /// Returns when the daemon has ended; the calling thread runs its tasks.
    ///
    /// - Throws: `DaemonFault` where it can't start.
    public static func run(_ settings: DaemonSettings) throws {
        try CallingThread().run { try await serve(settings) }
    }

    private static func serve(_ settings: DaemonSettings) async throws {
        signal(SIGPIPE, SIG_IGN)
        let log = DaemonLog()
        let logger = Logger(label: "rouse") { _ in DaemonLogHandler(log: log) }
        let daemon = try RunningDaemon(settings, log: log, logger: logger)
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(
            services: [
                // Shut down in reverse: signals are heard until the daemon is done.
                .init(service: SignalService(reconciler: daemon.reconciler), successTerminationBehavior: .ignore),
                .init(service: daemon, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        try await group.run()
    }
}

/// One daemon: what it holds, from the lock to the threads, for as long as it runs.
private struct RunningDaemon: Service {
    let reconciler: Reconciler
    private let lock: DaemonLock
    private let settings: DaemonSettings

    init(_ settings: DaemonSettings, log: DaemonLog, logger: Logger) throws {
        var settings = settings
        // First of all: libinotifytools can't use a descriptor of 1024 or more.
        let hints = HintRelay()
        var watching = WatchOptions.fromEnvironment
        // A drop is seen by the line itself; see `Reconciler.watchDirectories`.
        watching.gathering = 1000
        let watcher = try DirectoryWatcher(
            watching, onNotice: { logger.notice("\($0)") }, onHint: { hints.pass($0) })
        let spool = try Spool(settings.spool)
        lock = try DaemonLock(spool)
        log.open(in: spool.daemon)
        Self.checkOwner(spool, logger)
        guard access(settings.runner, X_OK) == 0 else {
            throw DaemonFault("cannot find rouse-runner at \(settings.runner): install it beside rouse, or say where it is by ROUSE_RUNNER", exitCode: 72)
        }
        rouse_set_child_subreaper()
        let path = spool.path + "/" + SpoolLayout.index
        let (store, isNew) = try Self.openIndex(path, logger)
        settings.mustRebuildIndex = isNew
        let systemd = Systemd()
        settings.onSweep = { systemd.notify("WATCHDOG=1") }
        let loop = try EventLoop(name: "rouse-line")
        let sync = IndexSync(path: path)
        reconciler = try Reconciler(
            settings: settings, logger: logger, loop: loop, spool: spool, store: store, sync: sync, watcher: watcher)
        hints.connect(reconciler)
        self.settings = settings
        self.systemd = systemd
    }

    private let systemd: Systemd

    func run() async throws {
        try await reconciler.start()
        systemd.notify("READY=1")
        let farewell: Reconciler.Farewell = settings.kills ? .killJobs : settings.drains ? .drain : .leaveJobs
        try? await gracefulShutdown()
        systemd.notify("STOPPING=1")
        await reconciler.stop(farewell)
        reconciler.join()
    }

    /// Opens the index, or a new one where there is none or what is there can't be used.
    private static func openIndex(_ path: String, _ logger: Logger) throws -> (SQLiteJobStore, isNew: Bool) {
        let isNew = access(path, F_OK) != 0
        do {
            return (try SQLiteJobStore(path: path), isNew)
        } catch where error.isDamage {
            let aside = try SQLiteJobStore.setAside(path)
            logger.error("\(error); it was moved to \(aside) and is built anew from the files")
            return (try SQLiteJobStore(path: path), true)
        } catch {
            throw DaemonFault("\(error)", exitCode: 65)
        }
    }

    private static func checkOwner(_ spool: Spool, _ logger: Logger) {
        guard let status = try? spool.root.status() else { return }
        if status.uid != geteuid() { logger.warning("\(spool.path) belongs to user \(status.uid), not to the daemon's user \(geteuid())") }
        if status.mode & 0o002 != 0 { logger.warning("\(spool.path) can be written by everybody (mode \(String(status.mode, radix: 8))): who can write to the inbox can run programs as the daemon's user; chmod o-w \(spool.path)") }
    }
}

/// USR1: look at everything now. A second TERM or INT: don't wait for running jobs any longer.
private struct SignalService: Service {
    let reconciler: Reconciler

    /// Takes SIGUSR1 as long as the process lives: once the sequence below has ended, it would end a daemon that is still
    /// about to.
    ///
    /// Unsafe only by its type, which is not `Sendable`: nobody touches it once it is made.
    nonisolated(unsafe) private static let lookAround: any DispatchSourceSignal = {
        let source = DispatchSource.makeSignalSource(signal: SIGUSR1)
        source.activate()
        return source
    }()

    func run() async throws {
        _ = Self.lookAround
        let signals = await UnixSignalsSequence(trapping: .sigusr1, .sigterm, .sigint)
        // Not `cancelOnGracefulShutdown`, which starts a task outside of this one's executor.
        await withTaskGroup { group in
            group.addTask { await obey(signals) }
            try? await gracefulShutdown()
            group.cancelAll()
        }
    }

    private func obey(_ signals: UnixSignalsSequence) async {
        var ends = 0
        for await signal in signals {
            switch signal {
            case .sigusr1: tell { $0.sweep() }
            default:
                ends += 1
                if ends > 1 { tell { $0.stopWaiting() } }
            }
        }
    }

    /// Without waiting for it: the daemon may be about to end, and then never comes to it.
    private func tell(_ body: @escaping @Sendable (isolated Reconciler) -> Void) {
        reconciler.loop.post { [weak reconciler] in reconciler?.assumeIsolated(body) }
    }
}
