import Synchronization

/// Keeps hints for an asynchronous reader: at most one for each directory, however many come before it looks, so that
/// the mailbox never grows beyond the number of directories.
final class HintMailbox: Sendable {
    fileprivate struct State {
        /// In the order in which they came.
        var waiting: [WatchHint] = []
        var scopes: Set<WatchHint.Scope> = []
        var reader: CheckedContinuation<WatchHint?, Never>?
        var isFinished = false
    }

    private let state = Mutex(State())

    func put(_ hint: WatchHint) {
        let reader: CheckedContinuation<WatchHint?, Never>? = state.withLock { state in
            if let reader = state.reader.take() { return reader }
            state.add(hint)
            return nil
        }
        reader?.resume(returning: hint)
    }

    /// Forgets the hint of a directory that nobody wants to hear about any more.
    func discard(_ token: WatchToken) {
        state.withLock { state in
            guard state.scopes.remove(.directory(token)) != nil else { return }
            state.waiting.removeAll { $0.scope == .directory(token) }
        }
    }

    /// No hint will come any more; those that wait are still given out.
    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            return state.reader.take()
        }
        reader?.resume(returning: nil)
    }

    /// The next hint; `nil` at the end or when the task is cancelled. There is one reader: a second one ends the first.
    func next() async -> WatchHint? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enum Answer { case now(WatchHint?), later(displaced: CheckedContinuation<WatchHint?, Never>?) }
                let answer: Answer = state.withLock { state in
                    if Task.isCancelled { return .now(nil) }
                    if let hint = state.takeFirst() { return .now(hint) }
                    if state.isFinished { return .now(nil) }
                    let displaced = state.reader
                    state.reader = continuation
                    return .later(displaced: displaced)
                }
                switch answer {
                case .now(let hint): continuation.resume(returning: hint)
                case .later(let displaced): displaced?.resume(returning: nil)
                }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume(returning: nil)
        }
    }
}

extension HintMailbox.State {
    mutating func add(_ hint: WatchHint) {
        // To look everywhere includes every directory.
        if hint.scope == .everything {
            waiting = [hint]
            scopes = [hint.scope]
        } else if scopes.contains(.everything) {
            return
        } else if scopes.insert(hint.scope).inserted {
            waiting.append(hint)
        } else if hint.reopen, let index = waiting.firstIndex(where: { $0.scope == hint.scope }) {
            waiting[index] = hint
        }
    }

    mutating func takeFirst() -> WatchHint? {
        guard !waiting.isEmpty else { return nil }
        let hint = waiting.removeFirst()
        scopes.remove(hint.scope)
        return hint
    }
}
