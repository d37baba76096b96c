import CInotifyTools
import Glibc

/// What the watch thread does, round after round: sleep until there is something, obey commands, read all events, see to
/// the watches, and only then give out the hints, one for each directory.
final class WatchLoop {
    /// More than the kernel's queue holds by default: a round ends even when events come faster than they are read.
    private static let eventsPerRound = 65_536

    let options: WatchOptions
    let commands: CommandQueue
    let onHint: (WatchHint) -> Void
    let onUnwatch: (WatchToken) -> Void
    let onNotice: (String) -> Void

    /// `nil` where inotify is not wanted or cannot be had: then every directory is polled.
    var library: InotifyLibrary?
    var table: WatchTable
    var timer: PollTimer

    /// Directories to look at; the value says whether to open them again.
    var due: [WatchToken: Bool] = [:]
    var everythingIsDue = false
    /// Directories that are looked at whenever the timer fires.
    var polled: Set<WatchToken> = []
    /// Directories whose watches may be wrong.
    var suspects: Set<WatchToken> = []
    var notices: [String] = []
    var hasToldOfOverflow = false
    private var hasBacklog = false

    init(
        _ library: InotifyLibrary?, _ options: WatchOptions, _ commands: CommandQueue, notices: [String],
        onHint: @escaping (WatchHint) -> Void, onUnwatch: @escaping (WatchToken) -> Void,
        onNotice: @escaping (String) -> Void
    ) {
        self.library = library
        self.options = options
        self.commands = commands
        self.onHint = onHint
        self.onUnwatch = onUnwatch
        self.onNotice = onNotice
        self.notices = notices
        table = WatchTable(library?.descriptor)
        timer = PollTimer(interval: options.pollInterval)
    }

    func run() {
        sayNotices()
        while true {
            let (hasCommands, hasEvents) = wait()
            if hasCommands, !obey(commands.take()) { break }
            // On a thread of its own, and not in `poll`: what comes meanwhile is what is waited for. A command waits as long.
            if hasEvents, options.gathering > 0 { usleep(options.gathering) }
            if hasEvents || hasBacklog { readEvents() }
            if timer.fire() { pollDirectories() }
            examineSuspects()
            timer.run(!polled.isEmpty)
            // What is wrong with a directory is known before the directory is looked at.
            sayNotices()
            giveHints()
        }
        // The library is left with an empty buffer, so first there must be no watch that brings new events.
        table.abandonWatches()
        library = nil
    }

    private func wait() -> (commands: Bool, events: Bool) {
        var descriptors = [
            pollfd(fd: commands.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: library?.descriptor.number ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&descriptors, 2, hasBacklog ? 0 : timer.timeout) > 0 else { return (false, false) }
        return (descriptors[0].revents != 0, descriptors[1].revents != 0)
    }

    private func readEvents() {
        guard let library else { return }
        do {
            hasBacklog = try !library.read(upTo: Self.eventsPerRound) { note($0, library) }
        } catch {
            hasBacklog = false
            giveUpInotify(error)
        }
    }

    private func note(_ event: InotifyEvent, _ library: InotifyLibrary) {
        if let trace = options.trace {
            let name = String(decoding: event.name, as: UTF8.self)
            trace("watch \(event.watch): \(library.names(of: event.mask)) \(name)")
        }
        if event.has(IN_Q_OVERFLOW) {
            overflowed(library.names(of: event.mask))
            return
        }
        guard let node = table.node(event.watch) else { return }
        if event.has(IN_UNMOUNT) { everythingIsDue = true }
        if event.has(IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF) {
            suspects.formUnion(node.everyone)
            if event.has(IN_IGNORED) { lost(node, event.watch) }
            return
        }
        for token in node.own where due[token] == nil && table.entries[token]?.wants(event) == true {
            due[token] = false
        }
        if !node.beneath.isEmpty, let concerned = node.beneath[event.name] { suspects.formUnion(concerned) }
    }
}
