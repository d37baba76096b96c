import Synchronization

@testable import SpoolWatch

/// A watcher and the reader of its hints.
final class Listener {
    let watcher: DirectoryWatcher
    private let said = Said()
    private var hints: AsyncStream<WatchHint>.Iterator

    private final class Said: Sendable {
        let lines = Mutex<[String]>([])
    }

    init(_ options: WatchOptions = WatchOptions(), onHint: (@Sendable (WatchHint) -> Void)? = nil) throws {
        let said = said
        watcher = try DirectoryWatcher(
            options, onNotice: { line in said.lines.withLock { $0.append(line) } }, onHint: onHint)
        hints = watcher.hints.makeAsyncIterator()
    }

    deinit { watcher.stop() }

    var notices: [String] { said.lines.withLock { $0 } }

    func next() async -> WatchHint? { await hints.next(isolation: #isolation) }

    /// Watches a directory that is there, and returns when it is.
    func arm(_ path: String, for interest: WatchInterest = []) async -> WatchToken {
        let token = watcher.watch(path, for: interest)
        await until { $0.scope == .directory(token) }
        return token
    }

    /// Takes hints until one fits, and gives all that were taken.
    @discardableResult
    func until(_ fits: (WatchHint) -> Bool) async -> [WatchHint] {
        var taken: [WatchHint] = []
        while let hint = await next() {
            taken.append(hint)
            if fits(hint) { break }
        }
        return taken
    }

    /// Takes hints until what is looked for is seen by looking at `token` after a hint; whether it ever was.
    func sees(_ token: WatchToken, _ look: () -> Bool) async -> Bool {
        var seen = false
        await until { hint in
            seen = (hint.scope == .directory(token) || hint.scope == .everything) && look()
            return seen
        }
        return seen
    }
}
