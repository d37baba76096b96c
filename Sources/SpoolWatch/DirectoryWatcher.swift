import Glibc

/// Watches directories and says which ones to look at again.
///
/// One thread of its own does all of it, and it alone touches libinotifytools, whose state belongs to the process:
/// there can be one watcher in a process at a time. While nothing happens the thread sleeps without end; only for
/// directories that inotify does not serve it wakes every `WatchOptions.pollInterval`.
///
/// A hint is given after a directory's watch is set, so that who looks then misses nothing: *arm, then scan*. The same
/// holds when a directory is made again, or another one is put in its place, or it first appears: the directory above
/// it, or the nearest one that is there, is watched for that. Make the watcher before anything else opens files.
public final class DirectoryWatcher: Sendable {
    private let commands: CommandQueue
    private let mailbox: HintMailbox
    private let thread: WatchThread
    /// Readable while something has happened that the watcher has not looked at yet; `nil` where inotify is not to be
    /// had. For who wants to look without waiting for the hint, which comes all the same. Nothing may be read from it.
    public let eventDescriptor: Int32?

    /// - Parameters:
    ///   - onNotice: What the person who runs this should know: that a directory must be polled, or cannot be watched,
    ///     and what to do. Each thing is said once. Called on the watch thread.
    ///   - onHint: Called on the watch thread, at most once for a directory in each round of events; while it runs,
    ///     events wait, and many become one hint. It is the fastest way to learn of a change, and must not linger.
    ///     It may call any method of the watcher.
    public init(
        _ options: WatchOptions = .fromEnvironment,
        onNotice: @escaping @Sendable (String) -> Void = { _ in },
        onHint: (@Sendable (WatchHint) -> Void)? = nil
    ) throws(WatchError) {
        let claim = try WatcherClaim()
        let commands = try CommandQueue()
        let mailbox = HintMailbox()
        let (library, notices) = try Self.openLibrary(options)
        eventDescriptor = library?.descriptor.number
        thread = try WatchThread {
            let loop = WatchLoop(
                library, options, commands, notices: notices,
                onHint: { hint in
                    onHint?(hint)
                    mailbox.put(hint)
                },
                onUnwatch: { mailbox.discard($0) },
                onNotice: onNotice)
            loop.run()
            commands.close()
            mailbox.finish()
            withExtendedLifetime(claim) {}
        }
        self.commands = commands
        self.mailbox = mailbox
    }

    deinit {
        commands.post(.stop)
        // The last reference may have been that of a callback.
        if thread.isCurrent { thread.detach() } else { thread.join() }
    }

    /// Hints for whoever prefers to await them. There is one reader at a time; a directory has at most one hint waiting,
    /// and hints that came since the watcher was made, or since the last reader left, are not lost. It ends after
    /// `stop()`.
    public var hints: AsyncStream<WatchHint> {
        let mailbox = mailbox
        return AsyncStream { await mailbox.next() }
    }

    /// Watches the directory at `path`, which may be missing yet. A hint follows as soon as the watch is set. To watch
    /// it again with another interest replaces the interest; with the same, nothing happens.
    ///
    /// A symbolic link in the place of the directory itself is not followed, those on the way to it are.
    @discardableResult
    public func watch(_ path: String, for interest: WatchInterest = []) -> WatchToken {
        let token = WatchToken(path)
        commands.post(.watch(token, AbsolutePath(path), interest))
        return token
    }

    /// Ends the watch of a directory. A hint that is being given at this moment may still arrive.
    public func unwatch(_ token: WatchToken) { commands.post(.unwatch(token)) }

    /// Makes sure that every path still leads to the directory that is watched, and tries again where that was not
    /// possible. For each sweep: it finds what no event can tell, such as a directory far above that was renamed.
    public func verify() { commands.post(.verify) }

    /// Stops watching, and returns when the thread has ended: no descriptor is open, no callback runs any more. Within
    /// a callback it returns at once, and the thread ends after the callback has.
    public func stop() {
        commands.post(.stop)
        if !thread.isCurrent { thread.join() }
    }

    /// The descriptor that wakes the thread; for tests of what is left behind.
    var wakeDescriptor: Int32 { commands.descriptor }

    /// Without inotify the directories are polled; only what a person must put right first is an error.
    private static func openLibrary(
        _ options: WatchOptions
    ) throws(WatchError) -> (library: InotifyLibrary?, notices: [String]) {
        let complaint = options.complaint.map { [$0] } ?? []
        let polling = "every directory is looked at every \(options.pollInterval)"
        guard options.method == .inotify else { return (nil, complaint + ["inotify is not used: \(polling)"]) }
        do {
            return (try InotifyLibrary(), complaint)
        } catch .unavailable(let code) {
            return (nil, complaint + ["\(WatchError.unavailable(errno: code)); until then \(polling)"])
        }
    }
}
