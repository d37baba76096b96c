import SpoolFormat

/// One turn's talk with an agent: it calls, and answers what the agent asks meanwhile.
final class Conversation {
    /// Why a call has no answer.
    enum CallFault: Error {
        case refused(RPCError)
        case died
        case late
        /// The turn is to end.
        case interrupted
    }

    /// What is done with what the agent sends.
    enum Phase {
        /// Between turns, as far as the agent is concerned.
        case quiet
        /// The agent tells a loaded conversation again.
        case replaying
        case prompting
        case cancelling
    }

    let turn: Turn
    let agent: AgentProcess
    var state: ACPState
    var phase = Phase.quiet
    var gathered = Gathered()
    private(set) var permissions: Permissions
    let wire: Wire
    private let files: FileAccess
    private let terminals: Terminals
    private var answers: [Int: Result<JSON, RPCError>] = [:]
    private var replayed = 0
    /// The agent was told to cancel the prompt.
    var wasCancelled = false

    init(_ turn: Turn, with agent: AgentProcess, _ children: Children) {
        self.turn = turn
        self.agent = agent
        state = ACPState.load(for: agent.identity, from: turn.session)
        permissions = Permissions(turn)
        wire = Wire(agent)
        files = FileAccess(below: turn.record.cwd)
        terminals = Terminals(children, cwd: turn.record.cwd)
    }

    // MARK: calling

    /// Calls, and waits for the answer until `deadline` (by `Monotonic`).
    func call(_ method: String, _ params: JSON, until deadline: Int64) throws(CallFault) -> JSON {
        let id = send(method, params)
        while true {
            if let answer = answers.removeValue(forKey: id) {
                do throws(RPCError) { return try answer.get() } catch { throw .refused(error) }
            }
            if wire.isBroken { throw .died }
            if turn.isInterrupted || turn.isTerminated { throw .interrupted }
            if Monotonic.now >= deadline { throw .late }
            step(until: deadline)
        }
    }

    /// - Returns: the request's id, by which `takeAnswer` gives the answer.
    func send(_ method: String, _ params: JSON) -> Int {
        let id = state.nextID
        state.nextID += 1
        // A number that is used a second time could be answered by what was meant for the first. Where it can't be
        // written, the next turn is likely to have the same trouble, and says so.
        save()
        wire.post(RPCMessage.request(id: .number(id), method: method, params: params).json)
        return id
    }

    func notify(_ method: String, _ params: JSON) { wire.post(RPCMessage.notification(method: method, params: params).json) }

    func takeAnswer(_ id: Int) -> Result<JSON, RPCError>? { answers.removeValue(forKey: id) }

    func save() { try? state.save(to: turn.session) }

    // MARK: hearing

    /// Does what there is to do, or waits until there is something, at most until `deadline`.
    func step(until deadline: Int64?) {
        let isIdle = !hear()
        terminals.advance { id, status in answer(id, .success(status)) }
        let next = [deadline, terminals.next].compactMap { $0 }.min()
        // Also in a flood the daemon is heard.
        turn.wait(reading: wire.reading + terminals.reading, writing: wire.writing, until: isIdle && !wire.isBroken ? next : Monotonic.now)
        if let text = turn.takeAnswer(), let (id, outcome) = permissions.answer(text) { answer(id, .success(outcome)) }
    }

    /// Takes some of what the agent has sent.
    /// - Returns: whether there was anything.
    @discardableResult
    func hear() -> Bool {
        var count = 0
        turn.events.together {
            while count < 1000, let message = wire.next() {
                take(message)
                count += 1
            }
        }
        return count > 0
    }

    /// Takes what has come after the turn's end, so that the next turn begins with a whole line and nothing is asked
    /// that nobody answers.
    func hearTheRest() {
        phase = .quiet
        let deadline = Monotonic.now + 1000
        while !wire.isBroken, Monotonic.now < deadline {
            if hear() { continue }
            guard wire.isInLine else { return }
            step(until: deadline)
        }
    }

    /// Nobody waits for an answer of ours any more.
    func cancelPermissions() {
        for (id, outcome) in permissions.cancelAll() { answer(id, .success(outcome)) }
    }

    private func take(_ message: RPCMessage) {
        switch message {
        case .response(let id, let result):
            answers[id] = result
            // Answers to turns that have died are of no use; few of them come.
            if answers.count > 100 { answers = [id: result] }
            guard id == state.outstanding else { return }
            state.outstanding = nil
            save()
        case .notification("session/update", let params): take(update: params)
        case .notification(let method, let params):
            turn.events.append(fromAgent: "notification", ["method": .string(method), "params": params])
        case .request(let id, let method, let params):
            do throws(RPCError) {
                // Written before anybody can see that it is asked.
                if Self.answeredLater.contains(method) {
                    state.unanswered.append(ACPState.Request(id: id, method: method))
                    save()
                }
                if let result = try result(of: method, params, id: id) { answer(id, .success(result)) }
            } catch { answer(id, .failure(error)) }
        }
    }

    private func take(update params: JSON) {
        guard let update = params["update"] else { return }
        if case .replaying = phase {
            replayed += 1
            return
        }
        var details: JSONObject = ["update": update]
        // Of an agent within the agent.
        let isOther = params["sessionId"]?.string != state.sessionID
        if isOther { details["session_id"] = params["sessionId"] }
        if case .quiet = phase { details["late"] = true }
        turn.events.append(fromAgent: "update", details)
        if case .quiet = phase { return }
        if isOther { gathered.noteWork(update) } else { gathered.take(update) }
    }

    private static let answeredLater = ["session/request_permission", "terminal/wait_for_exit"]

    /// - Returns: `nil` where the answer comes later.
    private func result(of method: String, _ params: JSON, id: JSON) throws(RPCError) -> JSON? {
        gathered.noteRequest()
        switch method {
        case "session/request_permission":
            guard case .prompting = phase else { return Permissions.cancelled }
            return permissions.request(id: id, params, tool: gathered.tools[params["toolCall"]?["toolCallId"]?.string])
        case "fs/read_text_file": return try files.read(params)
        case "fs/write_text_file": return try files.write(params)
        case "terminal/create": return try terminals.create(params)
        case "terminal/output": return try terminals.output(params)
        case "terminal/wait_for_exit": return try terminals.waitForExit(params, id: id)
        case "terminal/kill": return try terminals.kill(params)
        case "terminal/release": return try terminals.release(params)
        default: throw RPCError(RPCError.unknownMethod, "\(method) is not offered by this client")
        }
    }

    private func answer(_ id: JSON, _ result: Result<JSON, RPCError>) {
        wire.post(RPCMessage.response(to: id, result))
        guard let index = state.unanswered.firstIndex(where: { $0.id == id }) else { return }
        state.unanswered.remove(at: index)
        save()
    }

    /// Answers what a turn that died was asked.
    func answerForTheDead() {
        for request in state.unanswered {
            let isPermission = request.method == "session/request_permission"
            answer(request.id, isPermission ? .success(Permissions.cancelled) : .failure(RPCError(RPCError.internalError, "the terminal has ended")))
        }
    }

    /// Updates of a conversation that was told again, which are no events of this turn.
    func takeReplayed() -> Int {
        defer { replayed = 0 }
        return replayed
    }
}
