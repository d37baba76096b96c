import SpoolFormat

/// Decides what came of a prompt.
enum ACPReply {
    /// A session that was loaded, and shows at its first prompt that it is not there. Where anything was done, the prompt
    /// is never said again.
    static func showsLostSession(_ end: Conversation.PromptEnd, _ talk: Conversation) -> Bool {
        guard !talk.state.isTrusted, !talk.wasCancelled, !talk.gathered.hasWorked else { return false }
        switch end {
        case .answered(let result): return result["stopReason"]?.string == "end_turn" && talk.state.isDoubted
        case .refused(let error):
            return error.code != RPCError.authenticationRequired && Failure.classify(status: nil, message: error.words).code == "agent_failed"
        case .died, .ignoredCancel, .unheard: return false
        }
    }

    static func make(_ end: Conversation.PromptEnd, _ talk: Conversation) -> ReplyRecord {
        let turn = talk.turn
        var reply = ReplyRecord(text: talk.gathered.answer.text, stopReason: "failed")
        reply.agentSession = talk.state.sessionID
        if talk.gathered.hasWorked, !talk.state.isTrusted {
            talk.state.isTrusted = true
            talk.save()
        }
        switch end {
        case .answered(let result):
            if let usage = result["usage"] { reply.usage = Usage(agent: usage) }
            let stopReason = result["stopReason"]?.string ?? "none"
            if talk.wasCancelled { interrupt(&reply) } else { take(stopReason, &reply, talk) }
        case .refused(let error):
            if talk.wasCancelled { interrupt(&reply) } else { reply.error = talk.refusal(error, of: "session/prompt") }
        case .died:
            if talk.wasCancelled { interrupt(&reply) } else {
                reply.error = talk.howItDied("the agent ended in the middle of the turn")
            }
        case .ignoredCancel:
            interrupt(&reply)
            if turn.isInterrupted || !talk.agent.isKept {
                talk.agent.kill()
                reply.error = ErrorRecord("cancel_ignored", "the agent did not end its turn within \(turn.agent.cancelTimeout) of being told to, and was ended")
            }
        case .unheard(let isAtRest):
            if talk.wasCancelled { interrupt(&reply) } else {
                reply.error = ErrorRecord("agent_failed", "the agent sent a message longer than \(Wire.longest >> 20) MiB; the turn was ended")
            }
            if !isAtRest { talk.agent.kill() }
        }
        if let cost = talk.gathered.costUSD {
            reply.usage = reply.usage ?? Usage()
            reply.usage?.costUSD = cost
        }
        reply.isUsageCumulative = turn.agent.output.usageIsCumulative
        reply.isCostCumulative = talk.gathered.costUSD != nil
        warn(&reply, talk)
        return reply
    }

    private static func interrupt(_ reply: inout ReplyRecord) {
        reply.stopReason = "cancelled"
        reply.error = ErrorRecord("interrupted", "the turn was interrupted")
    }

    private static func take(_ stopReason: String, _ reply: inout ReplyRecord, _ talk: Conversation) {
        switch stopReason {
        case "end_turn" where reply.text.isEmpty:
            if !talk.state.isTrusted {
                talk.state.isDoubted = true
                talk.save()
            }
            // A model's error looks like this. What its tools have done is done, so trying again is not for us to propose.
            reply.error = ErrorRecord("empty_reply", "the agent ended its turn without an answer", retryable: !talk.gathered.tools.areThere)
        case "end_turn", "max_tokens", "max_turn_requests", "refusal":
            reply.stopReason = stopReason
        case "cancelled":
            // Some agents apply a cancel that came late to the next prompt.
            reply.error = ErrorRecord("cancelled_by_agent", "the agent cancelled the turn, and nobody had told it to", retryable: true)
        default:
            reply.error = ErrorRecord("agent_failed", "the agent ended its turn with a stop reason that is not known: \(stopReason)")
        }
    }

    private static func warn(_ reply: inout ReplyRecord, _ talk: Conversation) {
        reply.warnings = talk.permissions.warnings
        if talk.wire.noise > 0 { reply.warnings.append("\(talk.wire.noise) lines of the agent were no messages; they are in the log") }
        if talk.gathered.answer.wasCut { reply.warnings.append("the answer is longer than 1 MiB; its end is kept") }
        let hasImages = talk.turn.record.content.contains { if case .image = $0 { true } else { false } }
        if hasImages, !talk.takesImages { reply.warnings.append("the agent takes no images; they were named and not shown") }
    }
}
