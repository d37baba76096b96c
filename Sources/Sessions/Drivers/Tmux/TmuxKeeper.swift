import CLinux
import Glibc
import SpoolFormat

/// `rouse-agent keep` for an agent in a terminal: the tmux server of the session, with the agent in it, from the start
/// to the agent's end. It is the program of an ordinary job, whose log is the terminal's output.
struct TmuxKeeper {
    private let turn: Turn
    private let session: Directory
    private let server: TmuxServer

    init(_ turn: Turn) throws(TurnFault) {
        guard let session = turn.session, let name = turn.record.session else {
            throw TurnFault("no_session", "an agent in a terminal belongs to a session, and \(turn.record.id) has none")
        }
        self.turn = turn
        self.session = session
        server = TmuxServer(in: session, session: name)
    }

    /// - Returns: the agent's own exit code.
    func run() throws(TurnFault) -> Int32 {
        // What a keeper has left that was killed: there is never a second agent.
        if session.contains(SpoolLayout.Session.tmuxSocket) { server.end() }
        try? session.removeFile(SpoolLayout.Session.pane)
        let (pane, tmux) = try start()
        defer { for handle in [pane, tmux] where handle >= 0 { close(handle) } }
        try? turn.events.append("agent_started", ["program": .string(turn.agent.command[0])])
        stay(pane, tmux)
        let record = PaneRecord.read(in: session)
        drain()
        if let record {
            let error = record.error
            KeeperJob.note(record.message == nil ? KeeperJob.died(error.message, in: turn.job) : error, in: turn.job)
        }
        end(tmux)
        var details = JSONObject()
        details["exit_code"] = .optional(record?.exitCode)
        details["signal"] = .optional(record?.signal)
        details["message"] = .optional(record?.message)
        try? turn.events.append("agent_exited", details)
        return record?.exitStatus ?? 128 + SIGKILL
    }

    /// Lines of the terminal that are kept to scroll back to, and for the reply of a turn.
    static let historyLines = 50_000

    /// Starts server, terminal and agent. All in one call: of an agent that writes or ends at once, nothing is lost.
    /// - Returns: descriptors of the pane's process and of the server; negative for one that is gone already.
    private func start() throws(TurnFault) -> (pane: Int32, server: Int32) {
        guard let program = realpath("/proc/self/exe", nil) else { throw TurnFault(SystemFault("find", "rouse-agent")) }
        defer { free(program) }
        let output = try server.run([
            "set-option", "-g", "remain-on-exit", "on", ";",
            "set-option", "-g", "history-limit", String(Self.historyLines), ";",
            "set-option", "-g", "default-terminal", "screen-256color", ";",
            "new-session", "-d", "-s", server.name, "-x", "200", "-y", "50", "-P", "-F", "#{pane_pid} #{pid}",
            String(cString: program), "pane", String(getpid()), ";",
            // Whoever attaches must not move the lines: they are counted. Set before there is a window, it ends tmux 3.3.
            "set-option", "-w", "-t", server.target, "window-size", "manual", ";",
            // Our own standard output is the job's log; by this path the shell needs no quotes.
            "pipe-pane", "-t", server.target, "exec cat >>/proc/\(getpid())/fd/1",
        ])
        let pids = output.split { $0 == " " || $0 == "\n" }.compactMap { Int32($0) }
        guard pids.count == 2 else { throw TurnFault("tmux_failed", "tmux does not tell the pane's process: \(output)") }
        return (rouse_pidfd_open(pids[0]), rouse_pidfd_open(pids[1]))
    }

    /// Waits for the end of the pane's process; ends it when we are told to end.
    private func stay(_ pane: Int32, _ tmux: Int32) {
        guard pane >= 0 else { return }
        var isEnding = false
        var isServed = true
        while true {
            let ended = turn.wait(reading: isServed && tmux >= 0 ? [pane, tmux] : [pane])
            if ended.contains(pane) { return }
            // The pane's process hears of that by itself: its terminal is gone.
            if ended.contains(tmux) { isServed = false }
            guard turn.isTerminated, !isEnding else { continue }
            isEnding = true
            _ = rouse_pidfd_send_signal(pane, SIGTERM)
        }
    }

    /// The pane is dead for tmux once it has read all that the agent wrote, and handed it on.
    private func drain() {
        for _ in 0..<50 {
            guard let answer = try? server.run(["display-message", "-p", "-t", server.target, "#{pane_dead}"]), answer.hasPrefix("0") else { return }
            _ = poll(nil, 0, 20)
        }
    }

    private func end(_ tmux: Int32) {
        server.removeSocket()
        guard tmux >= 0 else { return }
        for signal in [SIGTERM, SIGKILL] {
            _ = rouse_pidfd_send_signal(tmux, signal)
            var entry = pollfd(fd: tmux, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, 5000) > 0 { return }
        }
    }
}
