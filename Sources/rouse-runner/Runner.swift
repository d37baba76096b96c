import CLinux
import Glibc
import JobRunner
import SpoolFormat

/// The runner's whole life: wait for something to happen, act on it, wait again. It has one thread, and at most one
/// attempt at a time.
///
/// | | idle | busy |
/// |---|---|---|
/// | `prepare` | make ready | – |
/// | `run` | begin | refuse |
/// | `cancel` of this attempt | – | end it |
/// | SIGTERM | ignore | end the attempt: so a daemon that adopted this runner says `cancel` |
/// | socket closed | exit | go on, exit after the attempt |
final class Runner {
    private var socket: PacketSocket
    private let signals: Int32
    private let spool: Directory
    private let identity: ProcessIdentity
    private var attempt: Attempt?
    /// What was said to be likely to be next.
    private var preparation: Preparation?
    /// For the next attempt.
    private let blanks: Blanks
    /// A process of an attempt could not be ended: this runner takes no other attempt, whose it would seem to be.
    private var isSpoiled = false

    /// `nil` where this process was not started as a runner is.
    init?() {
        guard rouse_is_socket(RunnerProtocol.socket) != 0, rouse_set_cloexec(RunnerProtocol.socket) == 0,
            rouse_set_child_subreaper() == 0, let spool = try? Directory("."),
            let identity = ProcessIdentity(pid: getpid())
        else { return nil }
        // What would end this process for a write that fails, or for a terminal that closes, may only fail the write.
        for signal in [SIGPIPE, SIGXFSZ, SIGHUP] { rouse_ignore_signal(signal) }
        signals = rouse_child_and_term_descriptor()
        guard signals >= 0 else { return nil }
        socket = PacketSocket(RunnerProtocol.socket)
        self.spool = spool
        blanks = Blanks(
            in: try? spool.directory(SpoolLayout.daemon).directory(SpoolLayout.Daemon.blanks), prefix: "runner-\(getpid())", files: 1, directories: 1,
            wantsFilling: true)
        self.identity = identity
    }

    /// Returns when there is nothing left to do, ever.
    func serve() {
        while attempt != nil || !(socket.isClosed || isSpoiled) {
            waitForNews()
            let wasBusy = attempt != nil
            let isToldToEnd = takeSignals()
            for message in socket.receive() { take(message) }
            // Where both have come, nobody knows which was first. A signal to an idle runner means nothing; one to a
            // runner whose daemon is gone can only mean the attempt that this daemon had left to it.
            if isToldToEnd, wasBusy || socket.isClosed { attempt?.cancel() }
            // Sent when the attempt is let go: whoever hears of its end finds its log unlocked.
            if let news = advance() { _ = socket.send(news, waiting: true) }
        }
        blanks.discard()
    }

    private func waitForNews() {
        var watched = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
        if !socket.isClosed { watched.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)) }
        let isFilling = attempt == nil && blanks.wantsFilling
        let count = poll(&watched, nfds_t(watched.count), isFilling ? Self.pause : attempt?.patience ?? -1)
        if isFilling, count == 0 { blanks.fill() }
    }

    /// Milliseconds without work after which more work is unlikely to come at once.
    private static let pause: Int32 = 10

    /// Takes the signals that have come; that children have ended is looked at in any case.
    private func takeSignals() -> Bool {
        var isToldToEnd = false
        while true {
            let signal = rouse_next_signal(signals)
            if signal == 0 { return isToldToEnd }
            if signal == SIGTERM { isToldToEnd = true }
        }
    }

    private func take(_ message: RunnerMessage) {
        switch message {
        case .prepare(_, _, let record):
            if attempt == nil { preparation = Preparation(record) }
        case .run(let id, let number): begin(id, number)
        case .cancel(let id, let number):
            if let attempt, attempt.record.id == id, attempt.record.attempt == number { attempt.cancel() }
        case .exit, .refused: break
        }
    }

    private func begin(_ id: JobID, _ number: Int) {
        let preparation = preparation
        self.preparation = nil
        do throws(Refusal) {
            if let attempt { throw Refusal("busy with attempt \(attempt.record.attempt) of \(attempt.record.id)") }
            attempt = try Attempt(id, number, in: spool, runner: identity, preparation: preparation, blanks: blanks)
        } catch {
            _ = socket.send(.refused(id, attempt: number, reason: error.reason), waiting: true)
        }
    }

    /// - Returns: what there is to tell when the attempt is over, and nothing of it left here.
    private func advance() -> RunnerMessage? {
        guard let attempt, let record = attempt.advance() else { return nil }
        isSpoiled = attempt.hasStrayProcesses
        self.attempt = nil
        return .exit(attempt.record.id, attempt: attempt.record.attempt, record)
    }
}

/// Why an attempt was not begun. Nothing of it exists: no log, no process.
struct Refusal: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
    init(_ fault: SystemFault) { reason = fault.description }
}
