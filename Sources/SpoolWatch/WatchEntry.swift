/// A directory that somebody wants to hear about, and by which watches that is done.
struct WatchEntry {
    let path: AbsolutePath
    /// The directories on the way, the nearest first.
    let stepsUp: [AbsolutePath.Step]
    var events: UInt32
    /// The watch on the directory itself; `nil` while it is missing or cannot be watched.
    var own: Int32?
    /// The watch on the nearest directory above that is there, and the name in it that leads on. It tells when the
    /// directory is made, or made again.
    var anchor: Anchor?
    /// Why the directory is looked at again and again; `nil` when its events suffice.
    var polling: PollReason?
    /// What was reported about it, each thing once.
    var reported: Set<String> = []

    struct Anchor: Equatable {
        let watch: Int32
        let name: [UInt8]
    }

    enum PollReason {
        /// Its file system does not tell of every change.
        case eventless
        /// It cannot have a watch.
        case unwatched
    }

    init(path: AbsolutePath, events: UInt32) {
        self.path = path
        self.events = events
        stepsUp = path.stepsUp
    }

    /// The directory that the anchor is on.
    var nearestAbove: AbsolutePath? { stepsUp.first { $0.name == anchor?.name }?.directory }

    func wants(_ event: InotifyEvent) -> Bool { event.mask & events != 0 }
}

/// A watch in the kernel, which has one for a directory, however many want it and under whatever path: the spool's inbox
/// is wanted for itself, and as the place where the inboxes of the queues may be made again.
struct WatchNode {
    var own: Set<WatchToken> = []
    /// Who wants to know what happens to a name in it.
    var beneath: [[UInt8]: Set<WatchToken>] = [:]

    var isUnused: Bool { own.isEmpty && beneath.isEmpty }
    var everyone: Set<WatchToken> { beneath.values.reduce(own) { $0.union($1) } }
}
