import CLinux
import Glibc
import Synchronization

/// One thread that runs everything of the actors that live on it, and waits in `epoll` in between.
///
/// The daemon's work is system calls on files: they would block the cooperative pool, and a hop between threads costs
/// more than most of them. So the reconciler is an actor whose executor is this loop: a message of a runner, a hint of
/// the watcher and a due timer all arrive on the thread that acts on them. While nothing happens the thread sleeps
/// without a timeout.
final class EventLoop: SerialExecutor {
    /// Called on the loop's thread whenever the descriptor is readable or hung up.
    typealias Handler = @Sendable () -> Void

    private enum Work {
        case job(UnownedJob)
        case call(Handler)
    }

    private struct Inbox {
        var work: [Work] = []
        var isStopping = false
    }

    /// A function as a mutex's own value, not within a structure, would be wrapped anew at each access, and each call
    /// would go through all the wrappings.
    private struct RoundEnd {
        var handler: Handler?
    }

    private let inbox = Mutex(Inbox())
    private let handlers = Mutex<[Int32: Handler]>([:])
    private let roundEnd = Mutex(RoundEnd())
    private let epoll: Int32
    private let wakeUp: Int32
    private let thread = Mutex<pthread_t?>(nil)

    /// Starts the thread. `name` is what `ps -L` shows, at most 15 bytes.
    init(name: String) throws(DaemonFault) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, wakeUp >= 0 else { throw DaemonFault("cannot make an event loop: \(String(cString: strerror(errno)))") }
        register(wakeUp)
        let box = Unmanaged.passRetained(Start(loop: self, name: name))
        var id = pthread_t()
        let code = pthread_create(&id, nil, { argument in
            let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
            _ = rouse_set_thread_name(start.name)
            start.loop.run()
            return nil
        }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw DaemonFault("cannot start a thread: \(String(cString: strerror(code)))")
        }
        thread.withLock { $0 = id }
    }

    private final class Start {
        let loop: EventLoop
        let name: String
        init(loop: EventLoop, name: String) {
            self.loop = loop
            self.name = name
        }
    }

    deinit {
        close(epoll)
        close(wakeUp)
    }

    func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// Runs `body` on the loop's thread, after what was posted before.
    func post(_ body: @escaping Handler) { add(.call(body)) }

    /// Watches `descriptor` until `forget`. Level-triggered: the handler is called again while there is something.
    func watch(_ descriptor: Int32, _ handler: @escaping Handler) {
        handlers.withLock { $0[descriptor] = handler }
        register(descriptor)
    }

    /// Calls the handler once for each time that something comes; what is there is left to another thread.
    func watchArrivals(on descriptor: Int32, _ handler: @escaping Handler) {
        handlers.withLock { $0[descriptor] = handler }
        register(descriptor, rouse_epollin() | rouse_epollet())
    }

    /// To be called before the descriptor is closed.
    func forget(_ descriptor: Int32) {
        handlers.withLock { $0[descriptor] = nil }
        epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Sets what is called after each round of events: the place for what many events share, like a commit.
    func afterEachRound(_ handler: Handler?) { roundEnd.withLock { $0.handler = handler } }

    /// Lets the thread end after what was posted before, and waits for it. Not from the loop's own thread.
    func stop() {
        inbox.withLock { $0.isStopping = true }
        signal()
        // The thread goes on asking who it is until it ends.
        guard let id = thread.withLock({ $0 }) else { return }
        pthread_join(id, nil)
        thread.withLock { $0 = nil }
    }

    func checkIsolated() {
        precondition(isCurrent, "not on the event loop's thread")
    }

    func isIsolatingCurrentContext() -> Bool? { isCurrent }

    private var isCurrent: Bool {
        thread.withLock { id in id.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    private func add(_ work: Work) {
        let wasEmpty = inbox.withLock { inbox in
            inbox.work.append(work)
            return inbox.work.count == 1
        }
        if wasEmpty { signal() }
    }

    private func signal() { eventfd_write(wakeUp, 1) }

    private func register(_ descriptor: Int32, _ events: UInt32 = rouse_epollin()) {
        var event = epoll_event()
        event.events = events
        event.data.fd = descriptor
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll, &events, 64, -1)
            if count < 0 && errno != EINTR { fatal("epoll_wait") }
            for event in events.prefix(Int(max(count, 0))) where event.data.fd != wakeUp {
                let handler = handlers.withLock { $0[event.data.fd] }
                handler?()
            }
            var ignored: eventfd_t = 0
            eventfd_read(wakeUp, &ignored)
            let (work, isStopping) = inbox.withLock { inbox in
                defer { inbox.work = [] }
                return (inbox.work, inbox.isStopping)
            }
            for item in work {
                switch item {
                case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
                case .call(let body): body()
                }
            }
            roundEnd.withLock { $0.handler }?()
            if isStopping {
                // What was posted last may have posted more.
                if work.isEmpty { return }
                signal()
            }
        }
    }

    /// The loop's own descriptors can fail only through a fault of this program.
    private func fatal(_ call: String) -> Never {
        preconditionFailure("\(call): \(String(cString: strerror(errno)))")
    }
}
