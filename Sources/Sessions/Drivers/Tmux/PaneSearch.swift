import Glibc
import SpoolFormat

/// Finds the session's terminal, which may be about to come up.
struct PaneSearch {
    private let turn: Turn
    private let session: Directory
    private let server: TmuxServer

    init(_ turn: Turn, in session: Directory, on server: TmuxServer) {
        self.turn = turn
        self.session = session
        self.server = server
    }

    /// - Returns: `nil` where the turn is to end before it has begun.
    /// - Throws: how the agent has ended, where the terminal is there and its agent is not: a new process is needed.
    func find(until deadline: Int64) throws(TurnFault) -> TmuxPane? {
        let watch = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        defer { if watch >= 0 { close(watch) } }
        if watch >= 0 { inotify_add_watch(watch, session.path, UInt32(IN_CREATE | IN_MOVED_TO)) }
        while true {
            if turn.isInterrupted || turn.isTerminated { return nil }
            if let record = PaneRecord.read(in: session) {
                if let pane = TmuxPane(record, on: server), (try? pane.screen()) != nil { return pane }
                if record.endedAt != nil, record.keeper.isAlive { throw TurnFault(turn.keeper?.awaitEnding(turn) ?? record.error) }
            }
            // Nobody is to wait for an agent that does not come.
            if let ending = turn.keeper?.ending { throw TurnFault(ending) }
            guard Monotonic.now < deadline else {
                throw TurnFault("no_process", "the session's agent did not come up within \(turn.agent.ready.timeout)", retryable: true)
            }
            // By the clock, too: of a process that dies, no file tells.
            _ = turn.wait(reading: watch >= 0 ? [watch] : [], until: min(deadline, Monotonic.now + 500))
            withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { _ = read(watch, $0.baseAddress!, $0.count) }
        }
    }
}
