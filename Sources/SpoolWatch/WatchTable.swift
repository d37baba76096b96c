import CInotifyTools
import Glibc

/// All watched directories, and the watches in the kernel that serve them. Used on the watch thread alone.
///
/// Whether a path still leads to the watched directory is asked of the kernel by watching the path again: the same
/// directory gives the same watch. That is surer than comparing device and inode, since an inode number is used again
/// as soon as its directory is deleted.
struct WatchTable {
    /// The watches of an entry are changed here only; the rest of it is anybody's.
    var entries: [WatchToken: WatchEntry] = [:]
    private var nodes: [Int32: WatchNode] = [:]
    /// `nil` where there is no inotify.
    private var descriptor: InotifyDescriptor?

    init(_ descriptor: InotifyDescriptor?) { self.descriptor = descriptor }

    func node(_ watch: Int32) -> WatchNode? { nodes[watch] }

    mutating func remove(_ token: WatchToken) {
        setOwn(nil, of: token)
        setAnchor(nil, of: token)
        entries[token] = nil
    }

    /// The kernel has removed a watch, and its number means nothing any more.
    mutating func forget(_ watch: Int32) {
        guard let node = nodes.removeValue(forKey: watch) else { return }
        for token in node.everyone {
            if entries[token]?.own == watch { entries[token]?.own = nil }
            if entries[token]?.anchor?.watch == watch { entries[token]?.anchor = nil }
        }
    }

    /// Removes every watch, and sets none from now on.
    mutating func abandonWatches() {
        for watch in nodes.keys { descriptor?.remove(watch) }
        nodes = [:]
        descriptor = nil
        for token in entries.keys {
            entries[token]?.own = nil
            entries[token]?.anchor = nil
        }
    }

    /// Those whose path leads through that of `token`.
    func tokens(beneath token: WatchToken) -> [WatchToken] {
        guard let path = entries[token]?.path else { return [] }
        return entries.filter { $0.value.path.isBeneath(path) }.map(\.key)
    }

    enum Outcome {
        /// The watched directory is the one it was, or as missing as it was.
        case same
        /// The path leads to another directory, and that is watched now.
        case armed
        /// The directory is gone from its path.
        case lost
    }

    /// Makes the watches of `token` what its path calls for now. First the directory above, then itself: whichever way
    /// a directory appears in between, one of the two has seen it.
    mutating func arm(_ token: WatchToken) -> (outcome: Outcome, faults: [WatchError]) {
        guard let entry = entries[token], let descriptor else { return (.same, []) }
        var faults: [WatchError] = []
        setAnchor(findAnchor(entry, descriptor, &faults), of: token)
        do {
            let watch = try descriptor.watch(entry.path, for: entry.events, followingLink: false)
            guard watch != entry.own else { return (.same, faults) }
            setOwn(watch, of: token)
            return (.armed, faults)
        } catch {
            setOwn(nil, of: token)
            faults.append(error)
            return (entry.own == nil ? .same : .lost, faults)
        }
    }
}

extension WatchTable {
    /// What happens in a directory above that concerns the path beneath it.
    private static let anchorEvents = UInt32(IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM)

    /// Watches the nearest directory above `entry` that is there. After it is watched, a nearer one is looked for once
    /// more: it may have been made meanwhile, which nothing would have told.
    private func findAnchor(
        _ entry: WatchEntry, _ descriptor: InotifyDescriptor, _ faults: inout [WatchError]
    ) -> WatchEntry.Anchor? {
        var found: (height: Int, watch: Int32)?
        while true {
            let next = nearestStep(of: entry, descriptor, &faults)
            if let found, found.watch != next?.watch, nodes[found.watch] == nil { descriptor.remove(found.watch) }
            let isSettled = next == nil || next?.height == 0 || next?.height == found?.height
            found = next
            if isSettled { break }
        }
        return found.map { WatchEntry.Anchor(watch: $0.watch, name: entry.stepsUp[$0.height].name) }
    }

    private func nearestStep(
        of entry: WatchEntry, _ descriptor: InotifyDescriptor, _ faults: inout [WatchError]
    ) -> (height: Int, watch: Int32)? {
        for (height, step) in entry.stepsUp.enumerated() {
            do {
                let watch = try descriptor.watch(step.directory, for: Self.anchorEvents, followingLink: true)
                return (height, watch)
            } catch .cannotWatch(_, ENOENT), .cannotWatch(_, ENOTDIR) {
                continue
            } catch {
                faults.append(error)
                return nil
            }
        }
        return nil
    }

    private mutating func setOwn(_ watch: Int32?, of token: WatchToken) {
        let old = entries[token]?.own
        guard old != watch else { return }
        entries[token]?.own = watch
        if let watch { nodes[watch, default: WatchNode()].own.insert(token) }
        guard let old else { return }
        nodes[old]?.own.remove(token)
        removeIfUnused(old)
    }

    private mutating func setAnchor(_ anchor: WatchEntry.Anchor?, of token: WatchToken) {
        let old = entries[token]?.anchor
        guard old != anchor else { return }
        entries[token]?.anchor = anchor
        if let anchor { nodes[anchor.watch, default: WatchNode()].beneath[anchor.name, default: []].insert(token) }
        guard let old else { return }
        var others = nodes[old.watch]?.beneath[old.name] ?? []
        others.remove(token)
        nodes[old.watch]?.beneath[old.name] = others.isEmpty ? nil : others
        removeIfUnused(old.watch)
    }

    private mutating func removeIfUnused(_ watch: Int32) {
        guard nodes[watch]?.isUnused ?? true else { return }
        nodes[watch] = nil
        descriptor?.remove(watch)
    }
}
