import SpoolFormat

// The prompt, and all until its answer.
extension Conversation {
    enum PromptEnd {
        case answered(JSON)
        case refused(RPCError)
        /// The agent's process ended.
        case died
        /// It was told to cancel, and did not within its time.
        case ignoredCancel
        /// It said something that was too long to be heard. The turn was ended, as nobody knows what that was.
        case unheard(isAtRest: Bool)
    }

    /// Says the prompt, and hears the agent until the turn's end. On an interrupt the agent is told to cancel.
    func prompt(_ content: [ContentBlock]) throws(TurnFault) -> PromptEnd {
        let blocks = content.map { block -> JSON in
            if case .image = block, !takesImages { return ContentBlock.text(block.text).json }
            return block.json
        }
        gathered = Gathered()
        phase = .prompting
        defer { phase = .quiet }
        let session = JSON.string(state.sessionID ?? "")
        // Written before it is sent: a turn that finds it knows that the agent may be at it.
        state.outstanding = state.nextID
        try state.save(to: turn.session)
        let id = send("session/prompt", ["sessionId": session, "prompt": .array(blocks)])
        let dropped = wire.dropped
        var deadline: Int64?
        while true {
            if let answer = takeAnswer(id) {
                if wire.dropped > dropped { return .unheard(isAtRest: true) }
                switch answer {
                case .success(let result): return .answered(result)
                case .failure(let error): return .refused(error)
                }
            }
            if wire.isBroken { return .died }
            if turn.isInterrupted || turn.isTerminated { wasCancelled = true }
            if phase == .prompting, wasCancelled || wire.dropped > dropped {
                phase = .cancelling
                notify("session/cancel", ["sessionId": session])
                cancelPermissions()
                deadline = Monotonic.now + turn.agent.cancelTimeout.milliseconds
            }
            if turn.isTerminated {
                // The runner's patience is the turn's, too.
                deadline = min(deadline ?? .max, Monotonic.now + turn.grace / 2)
            }
            if let deadline, Monotonic.now >= deadline { return wire.dropped > dropped ? .unheard(isAtRest: false) : .ignoredCancel }
            step(until: deadline)
        }
    }
}
