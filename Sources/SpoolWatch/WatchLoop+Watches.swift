import Glibc

extension WatchLoop {
    /// Examines all directories whose watches may be wrong, those above before those beneath: when a directory is
    /// another than before, so is everything in it.
    func examineSuspects() {
        guard !suspects.isEmpty else { return }
        var queue = suspects.sorted { depth($0) < depth($1) }
        var next = 0
        while next < queue.count {
            let hasChanged = examine(queue[next])
            if hasChanged, suspects.count < table.entries.count {
                queue += table.tokens(beneath: queue[next]).filter { suspects.insert($0).inserted }
            }
            next += 1
        }
        suspects.removeAll()
    }

    private func depth(_ token: WatchToken) -> Int { table.entries[token]?.stepsUp.count ?? 0 }

    /// Sets the watches of one directory right. Whether it is another than before; then it is due, too: what came into
    /// it before its watch was set has told nobody.
    func examine(_ token: WatchToken) -> Bool {
        let (outcome, faults) = table.arm(token)
        if outcome != .same { due[token] = true }
        guard library != nil, let entry = table.entries[token] else { return outcome != .same }
        for fault in faults where !fault.isMissing { report(fault.description, token) }

        if entry.own == nil, faults.contains(where: \.callsForPolling) {
            poll(token, .unwatched)
        } else if outcome == .armed || entry.own == nil {
            // A missing directory is made where the nearest one above it is.
            let place = entry.own == nil ? entry.nearestAbove : entry.path
            if let system = place.flatMap({ EventlessFileSystem(of: $0) }) {
                report("\(system.name) does not tell of every change: \(entry.path) is on it", token)
                poll(token, .eventless)
            } else {
                setPolling(nil, token)
            }
        }
        return outcome != .same
    }

    /// Polled directories are due, and so are their watches: one that could not be set may be possible now.
    func pollDirectories() {
        for token in polled { due[token] = due[token] == true || table.entries[token]?.own == nil }
        suspects.formUnion(polled)
    }

    func giveHints() {
        if everythingIsDue {
            onHint(.everything)
        } else {
            for (token, reopen) in due { onHint(.directory(token, reopen: reopen)) }
        }
        everythingIsDue = false
        due.removeAll(keepingCapacity: true)
    }

    /// The kernel has removed a watch, because the directory is gone.
    func lost(_ node: WatchNode, _ watch: Int32) {
        table.forget(watch)
        for token in node.own {
            due[token] = true
            suspects.formUnion(table.tokens(beneath: token))
        }
    }

    /// Events were lost, and with them perhaps the news that a watch is gone.
    func overflowed(_ name: String) {
        everythingIsDue = true
        suspects.formUnion(table.entries.keys)
        guard !hasToldOfOverflow else { return }
        hasToldOfOverflow = true
        notices.append(
            "more happened at once than inotify can hold (\(name)): every directory is looked at again; "
                + "should that be often, raise fs.inotify.max_queued_events with sysctl")
    }

    /// Goes on without inotify after it has failed.
    func giveUpInotify(_ fault: WatchError) {
        notices.append("\(fault); from now on every directory is looked at every \(timer.interval)")
        table.abandonWatches()
        library = nil
        for token in table.entries.keys { setPolling(.unwatched, token) }
        everythingIsDue = true
    }

    func sayNotices() {
        for notice in notices { onNotice(notice) }
        notices.removeAll()
    }

    private func poll(_ token: WatchToken, _ reason: WatchEntry.PollReason) {
        guard table.entries[token]?.polling != reason else { return }
        setPolling(reason, token)
        report("\(token) is looked at every \(timer.interval)", token)
    }

    func setPolling(_ reason: WatchEntry.PollReason?, _ token: WatchToken) {
        table.entries[token]?.polling = reason
        if reason == nil { polled.remove(token) } else { polled.insert(token) }
    }

    private func report(_ text: String, _ token: WatchToken) {
        if table.entries[token]?.reported.insert(text).inserted == true { notices.append(text) }
    }
}

extension WatchError {
    /// The directory is not there (yet): no fault, it is waited for.
    var isMissing: Bool {
        if case .cannotWatch(_, ENOENT) = self { true } else { false }
    }

    /// The directory may well be read, only a watch is not to be had. Where it cannot be read, polling has no use.
    var callsForPolling: Bool {
        guard case .cannotWatch(_, let code) = self else { return false }
        return ![ENOENT, ENOTDIR, EACCES, EPERM, ELOOP, ENAMETOOLONG].contains(code)
    }
}
