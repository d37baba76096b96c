import SpoolFormat

// What comes before the prompt: a line that is in order, a protocol that both speak, a session that the agent knows.
extension Conversation {
    static let protocolVersion = 1

    /// Brings a kept agent back to where nothing is going on. A turn that died may have left a line unfinished, and a
    /// prompt that the agent still works at, or waits in.
    func resynchronise() throws(TurnFault) {
        phase = .quiet
        if state.isInTurn { wire.endLine() }
        state.isInTurn = true
        save()
        // What it has said since is of no turn. What it has finished since needs no cancel, which some agents would
        // apply to the next prompt.
        var rounds = 0
        while rounds < 1000, hear() { rounds += 1 }
        guard state.outstanding != nil, let session = state.sessionID else { return answerForTheDead() }
        turn.say(.starting, "the turn before was cut off; its prompt is being cancelled")
        notify("session/cancel", ["sessionId": .string(session)])
        answerForTheDead()
        let deadline = Monotonic.now + turn.agent.cancelTimeout.milliseconds
        while state.outstanding != nil {
            if wire.isBroken { throw died }
            if turn.isInterrupted || turn.isTerminated { throw Self.interrupted }
            guard Monotonic.now < deadline else {
                agent.kill()
                throw TurnFault(
                    "agent_busy", "the agent did not end its last turn within \(turn.agent.cancelTimeout) of being told to; it was ended and is replaced",
                    retryable: true)
            }
            step(until: deadline)
        }
        try? turn.events.append("resynchronised")
    }

    /// Checks that both speak the same.
    func initialize() throws(TurnFault) {
        guard state.initialized == nil else { return }
        let answer = try setUp("initialize", [
            "protocolVersion": .number(Self.protocolVersion),
            "clientCapabilities": ["fs": ["readTextFile": true, "writeTextFile": true], "terminal": true],
            "clientInfo": ["name": "rouse", "title": "Rouse", "version": "1"],
        ])
        guard answer["protocolVersion"]?.int == Self.protocolVersion else {
            let version = answer["protocolVersion"].map { JSONWriter.text($0) } ?? "none"
            throw TurnFault(
                "unsupported_protocol", "the agent speaks version \(version) of the Agent Client Protocol, and Rouse speaks \(Self.protocolVersion)",
                hint: "use a version of the agent that speaks \(Self.protocolVersion)")
        }
        state.initialized = answer
        save()
    }

    /// Makes sure that there is a session: the one that this process has; the one that an earlier process had, if the
    /// agent can take it up; or a new one.
    /// - Returns: whether an earlier conversation was lost.
    func openSession() throws(TurnFault) -> Bool {
        if state.sessionID != nil { return false }
        guard let earlier = turn.record.agentSession else {
            try newSession()
            return false
        }
        if try takeUp(earlier) { return false }
        try loseSession(earlier)
        return true
    }

    /// The agent does not know its session any more.
    func loseSession(_ id: String) throws(TurnFault) {
        state.sessionID = nil
        save()
        guard turn.record.lostSession == .anew else {
            throw TurnFault(
                "agent_session_lost", "the agent does not know its session \(id) any more",
                hint: "restart the session with \"fresh\", or set \"on_lost_session\": \"anew\"")
        }
        try? turn.events.append("session_lost", ["agent_session": .string(id)])
        try newSession()
    }

    private func newSession() throws(TurnFault) {
        let answer = try setUp("session/new", ["cwd": .string(turn.record.cwd), "mcpServers": []])
        guard let id = answer["sessionId"]?.string, !id.isEmpty else {
            throw TurnFault("agent_failed", "the agent answered session/new without a sessionId: \(JSONWriter.text(answer).prefix(500))")
        }
        state.sessionID = id
        // There is nothing in it that could be lost.
        state.isTrusted = true
        state.isDoubted = false
        save()
    }

    private var capabilities: JSON? { state.initialized?["agentCapabilities"] }

    var takesImages: Bool { capabilities?["promptCapabilities"]?["image"]?.bool ?? false }

    /// - Returns: whether the agent says that it has taken up the session. That it is there shows only its first turn.
    private func takeUp(_ id: String) throws(TurnFault) -> Bool {
        let params: JSON = ["sessionId": .string(id), "cwd": .string(turn.record.cwd), "mcpServers": []]
        var methods: [String] = []
        if let resume = capabilities?["sessionCapabilities"]?["resume"], resume != .null { methods.append("session/resume") }
        if capabilities?["loadSession"]?.bool == true { methods.append("session/load") }
        phase = .replaying
        defer { phase = .quiet }
        for method in methods {
            do throws(CallFault) {
                _ = try call(method, params, until: Monotonic.now + turn.agent.ready.timeout.milliseconds)
                try? turn.events.append("session_loaded", ["agent_session": .string(id), "method": .string(method), "replayed": .number(takeReplayed())])
                state.sessionID = id
                state.isTrusted = false
                save()
                return true
            } catch {
                // Capabilities may be declared and not work.
                guard case .refused(let fault) = error, fault.code != RPCError.authenticationRequired else { throw explain(error, method) }
                try? turn.events.append("session_not_loaded", ["agent_session": .string(id), "method": .string(method), "message": .string(fault.words)])
            }
        }
        return false
    }

    private func setUp(_ method: String, _ params: JSON) throws(TurnFault) -> JSON {
        do throws(CallFault) { return try call(method, params, until: Monotonic.now + turn.agent.ready.timeout.milliseconds) } catch {
            throw explain(error, method)
        }
    }

    private func explain(_ fault: CallFault, _ method: String) -> TurnFault {
        switch fault {
        case .died: return died
        case .interrupted: return Self.interrupted
        case .late:
            // It is of no use to the next turn either.
            agent.kill()
            return TurnFault("agent_not_ready", "the agent did not answer \(method) within \(turn.agent.ready.timeout); it was ended", retryable: true)
        case .refused(let error): return TurnFault(refusal(error, of: method))
        }
    }

    /// What an error of the agent's means.
    func refusal(_ error: RPCError, of method: String) -> ErrorRecord {
        guard error.code == RPCError.authenticationRequired else {
            return Failure.classify(status: nil, message: "the agent refused \(method): \(error.words)")
        }
        let methods = (state.initialized?["authMethods"]?.array ?? []).compactMap { $0["name"]?.string ?? $0["id"]?.string }
        let ways = methods.isEmpty ? "" : " (it offers: \(methods.joined(separator: ", ")))"
        return ErrorRecord(
            "authentication_required", "the agent wants somebody to log in first: \(error.words)\(ways); run it once by hand as this user and log in")
    }

    /// It ended before it had the prompt.
    private var died: TurnFault { TurnFault(howItDied("the agent ended before it had the prompt")) }

    /// - Parameter when: told beside its last words, where those are known.
    func howItDied(_ when: String) -> ErrorRecord {
        guard let ending = turn.keeper?.awaitEnding(turn) else {
            return ErrorRecord("agent_died", "\(when); its last words are in its log", retryable: true)
        }
        return ErrorRecord(ending.code, "\(when); \(ending.message)", retryable: ending.retryable)
    }

    static var interrupted: TurnFault { TurnFault("interrupted", "the turn was interrupted before its prompt was said") }
}
