import Glibc
import SpoolFormat

/// What `rouse-agent` does.
///
/// | arguments | does |
/// |---|---|
/// | `turn` | runs the turn of the job in `$ROUSE_JOB_DIR`, and writes `reply.json` |
/// | `keep` | starts the agent of the session `$ROUSE_SESSION`, and keeps it between turns |
/// | `pane` | runs the agent in the terminal that `keep` has made |
public enum AgentProgram {
    /// - Returns: the exit code: of a turn, 0 it succeeded, 1 it did not (`reply.json` says why); of what keeps an agent,
    ///   the agent's; 64 wrong usage.
    public static func run(_ arguments: [String]) -> Int32 {
        guard let job = variable("ROUSE_JOB_DIR"), let spool = variable("ROUSE_SPOOL") else { return usage() }
        switch arguments.first {
        case "turn": return turn(inJob: job, spool: spool)
        case "keep": return keep(inJob: job, spool: spool)
        case "pane": return pane(Array(arguments.dropFirst()), inJob: job, spool: spool)
        default: return usage()
        }
    }

    private static func turn(inJob job: String, spool: String) -> Int32 {
        do throws(TurnFault) {
            let turn = try Turn(inJob: job, spool: spool)
            turn.say(.starting)
            var driver = driver(of: turn)
            let reply = reply(of: turn, by: &driver)
            turn.endWait()
            try? turn.events.append("reply", ["text": .string(reply.text), "stop_reason": .string(reply.stopReason)])
            do throws(SystemFault) {
                try turn.job.replace(SpoolLayout.Job.reply, with: JSONWriter.write(reply.json), synchronizing: true)
            } catch { throw TurnFault(error) }
            driver.conclude()
            turn.say(.idle)
            if let error = reply.error { complain(error.message) }
            return reply.error == nil ? 0 : 1
        } catch {
            complain(error.error.message)
            return 1
        }
    }

    private static func pane(_ arguments: [String], inJob job: String, spool: String) -> Int32 {
        guard let session = variable("ROUSE_SESSION") else { return usage() }
        return PaneProgram.run(arguments, job: job, spool: spool, session: session)
    }

    private static func reply(of turn: Turn, by driver: inout any Driver) -> ReplyRecord {
        do throws(TurnFault) { return try driver.run() } catch {
            let isToldToEnd = turn.isInterrupted || turn.isTerminated
            return ReplyRecord(text: "", stopReason: isToldToEnd ? "cancelled" : turn.isPromptOut ? "failed" : "error", error: error.error)
        }
    }

    /// One line a driver.
    private static func driver(of turn: Turn) -> any Driver {
        switch turn.agent.driver {
        case .command: CommandDriver(turn)
        case .acp: ACPDriver(turn)
        case .tmux: TmuxDriver(turn)
        }
    }

    private static func keep(inJob job: String, spool: String) -> Int32 {
        do throws(TurnFault) {
            let turn = try Turn(inJob: job, spool: spool)
            do throws(TurnFault) {
                return switch turn.agent.driver {
                case .acp: try AgentKeeper(turn).run()
                case .tmux: try TmuxKeeper(turn).run()
                case .command: throw TurnFault("no_keeper", "nothing stays between the turns of a command agent")
                }
            } catch {
                KeeperJob.note(error.error, in: turn.job)
                throw error
            }
        } catch {
            complain(error.error.message)
            return 1
        }
    }

    private static func usage() -> Int32 {
        complain("rouse-agent is started by the rouse daemon, as the program of a job")
        return 64
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static func complain(_ text: String) {
        _ = writeAll(Array("rouse-agent: \(text)\n".utf8), to: 2)
    }
}
