import Glibc
import SpoolFormat

/// What `rouse-agent` does.
///
/// | arguments | does |
/// |---|---|
/// | `turn` | runs the turn of the job in `$ROUSE_JOB_DIR`, and writes `reply.json` |
/// | `keep` | starts the agent of the session `$ROUSE_SESSION`, and keeps it between turns |
public enum AgentProgram {
    /// - Returns: the exit code: 0 the turn succeeded, 1 it did not (`reply.json` says why), 64 wrong usage.
    public static func run(_ arguments: [String]) -> Int32 {
        switch arguments.first {
        case "turn": turn()
        default: usage()
        }
    }

    private static func usage() -> Int32 {
        complain("rouse-agent is started by the rouse daemon, as the program of a job")
        return 64
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static func turn() -> Int32 {
        guard let path = variable("ROUSE_JOB_DIR"), let spool = variable("ROUSE_SPOOL") else { return usage() }
        do throws(TurnFault) {
            let turn = try Turn(inJob: path, spool: spool)
            turn.say(.starting)
            let reply = reply(of: turn)
            turn.endWait()
            try? turn.events.append("reply", ["text": .string(reply.text), "stop_reason": .string(reply.stopReason)])
            do throws(SystemFault) {
                try turn.job.replace(SpoolLayout.Job.reply, with: JSONWriter.write(reply.json), synchronizing: true)
            } catch { throw TurnFault(error) }
            turn.say(.idle)
            if let error = reply.error { complain(error.message) }
            return reply.error == nil ? 0 : 1
        } catch {
            complain(error.error.message)
            return 1
        }
    }

    private static func reply(of turn: Turn) -> ReplyRecord {
        do throws(TurnFault) {
            return try run(turn)
        } catch {
            return ReplyRecord(text: "", stopReason: "error", error: error.error)
        }
    }

    private static func run(_ turn: Turn) throws(TurnFault) -> ReplyRecord {
        switch turn.agent.driver {
        case .command:
            var driver = CommandDriver(turn)
            return try driver.run()
        case .acp, .tmux: throw TurnFault("unsupported_driver", "the driver \(turn.agent.driver.rawValue) is not there")
        }
    }

    private static func complain(_ text: String) {
        _ = writeAll(Array("rouse-agent: \(text)\n".utf8), to: 2)
    }
}
