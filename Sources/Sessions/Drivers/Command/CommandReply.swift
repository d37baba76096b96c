import SpoolFormat

/// Decides what came of a `command` agent's process: exit code *and* what was read must say that it succeeded.
enum CommandReply {
    static func hasLostSession(_ end: CommandRun.End, _ agent: AgentConfiguration) -> Bool {
        guard end.output.errorTellsLostSession || end.output.words.hasLostSession || end.stderr.hasLostSession else { return false }
        return !end.output.hasWorked && !end.isCancelled && !end.isInterruptedLate && fault(end, agent) != nil
    }

    static func make(_ end: CommandRun.End, _ turn: Turn, session: String?) -> ReplyRecord {
        let output = end.output
        var reply = ReplyRecord(text: output.answer.text, stopReason: "end_turn")
        let error = fault(end, turn.agent)
        if end.isCancelled || end.isInterruptedLate && error != nil {
            reply.stopReason = "cancelled"
            reply.error = ErrorRecord("interrupted", "the turn was interrupted")
        } else if let error {
            reply.stopReason = "failed"
            reply.error = error
        }
        reply.agentSession = output.session ?? end.stderr.session ?? output.words.session ?? session
        if !output.usage.isEmpty { reply.usage = output.usage }
        reply.isUsageCumulative = turn.agent.output.usageIsCumulative
        reply.isCostCumulative = turn.agent.output.costIsCumulative
        reply.warnings = output.warnings
        if turn.record.content.contains(where: { if case .image = $0 { true } else { false } }) {
            reply.warnings.append("the agent takes text only; images were named and not shown")
        }
        return reply
    }

    /// Why the turn did not succeed.
    private static func fault(_ end: CommandRun.End, _ agent: AgentConfiguration) -> ErrorRecord? {
        let output = end.output
        var exitCode = 0
        if !end.isEndedByUs, case .exited(let code) = end.ending { exitCode = code }
        let isRetryable = agent.retryableExitCodes.contains(exitCode)
        if let error = output.error { return Failure.classify(status: output.status, message: error, retryable: isRetryable) }
        if !end.isEndedByUs, case .signal(let number) = end.ending {
            return ErrorRecord("agent_died", words("the agent was ended by signal \(number)", end), retryable: true)
        }
        if exitCode != 0 {
            let message = words("the agent exited with code \(exitCode)", end)
            return Failure.classify(status: output.status, message: message, saying: said(end), retryable: isRetryable)
        }
        guard !output.answer.text.isEmpty else {
            return ErrorRecord("empty_reply", words("the agent ended without an answer", end), retryable: true)
        }
        if !agent.output.success.isEmpty, !output.hasSucceeded {
            return ErrorRecord("agent_failed", words("the agent ended without saying that its turn succeeded", end), retryable: true)
        }
        return nil
    }

    private static func words(_ what: String, _ end: CommandRun.End) -> String {
        let said = said(end)
        return said.isEmpty ? what : "\(what): \(said)"
    }

    /// The agent's last words. Some say on stdout what went wrong, and on stderr something else.
    private static func said(_ end: CommandRun.End) -> String {
        [end.stderr.tail, end.output.words.tail].filter { !$0.isEmpty }.joined(separator: "\n")
    }
}
