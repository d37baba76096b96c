extension WatchLoop {
    /// Does what was asked; `false` when it was to stop.
    func obey(_ commands: [WatchCommand]) -> Bool {
        for command in commands {
            switch command {
            case .watch(let token, let path, let interest): watch(token, path, interest.events)
            case .unwatch(let token): unwatch(token)
            case .verify: suspects.formUnion(table.entries.keys)
            case .stop: return false
            }
        }
        return true
    }

    private func watch(_ token: WatchToken, _ path: AbsolutePath, _ events: UInt32) {
        if let known = table.entries[token] {
            guard known.events != events else { return }
            table.entries[token]?.events = events
        } else {
            table.entries[token] = WatchEntry(path: path, events: events)
        }
        guard library != nil else {
            setPolling(.unwatched, token)
            due[token] = true
            return
        }
        _ = examine(token)
        // What it is watched for now may have happened before it was.
        if table.entries[token]?.own != nil, due[token] == nil { due[token] = false }
    }

    private func unwatch(_ token: WatchToken) {
        table.remove(token)
        due[token] = nil
        suspects.remove(token)
        polled.remove(token)
        onUnwatch(token)
    }
}
