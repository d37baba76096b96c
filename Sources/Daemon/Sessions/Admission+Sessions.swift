import JobIndex
import SpoolFormat

// What is asked of a task that speaks to agents, before it is accepted.
extension Admission {
    /// A wake of several sessions is a wake of each.
    static func single(_ file: TaskFile) -> TaskFile {
        guard case .wake(let wake) = file.verb, wake.sessions.count > 1 else { return file }
        var options = file.options
        options.labels = nil
        options.parent = nil
        let each = wake.sessions.map { TaskFile(.wake(Wake([$0], reason: wake.reason, mode: wake.mode)), options: options) }
        var batch = TaskFile(.tasks(each), id: file.id)
        batch.options.labels = file.options.labels
        batch.options.parent = file.options.parent
        return batch
    }

    /// Whether there is whom the task speaks to, and whether they can be spoken to.
    func checkParties(_ file: TaskFile, accept: QueueConfiguration.Accept?, uid: UInt32, prompts: [String: Int]) throws {
        func session(_ name: String, _ steps: JSONPath.Step...) throws {
            try checkAgent(try sessions.find(name, at: JSONPath(steps)).definition.agent, accept)
        }
        for (index, name) in (file.options.notify ?? []).enumerated() { try session(name, .name("notify"), .index(index)) }
        if file.verb.isTurn, !isOwn(uid) { try checkForeign(file.options) }
        switch file.verb {
        case .prompt(let prompt):
            if let name = prompt.session {
                let session = try sessions.find(name, at: JSONPath([.name("session")]))
                try checkAgent(session.definition.agent, accept)
                _ = try agents.find(session.definition.agent, at: JSONPath([.name("session")]))
                try checkUnlocked(session)
                try checkPending(session, siblings: prompts[name, default: 0])
            } else if let name = prompt.agent {
                try checkAgent(name, accept)
                let agent = try agents.find(name, at: JSONPath([.name("agent")]))
                guard agent.configuration.driver != .tmux else {
                    throw TaskFault(
                        "agent_needs_session", "\"\(name)\" is an interactive agent, which needs a session", at: JSONPath([.name("agent")]),
                        expected: "an agent with the driver \"command\" or \"acp\"", hint: #"open a session: {"open": "<name>", "agent": "\#(name)"}"#)
                }
            }
        case .wake(let wake):
            for name in wake.sessions { try session(name, .name("wake")) }
        case .note(let note): try session(note.session, .name("session"))
        case .answer(let answer): try session(answer.session, .name("session"))
        case .session(let command):
            if let definition = command.definition {
                try checkAgent(definition.agent, accept)
                _ = try agents.find(definition.agent, at: JSONPath([.name("agent")]))
            } else {
                try session(command.session, .name(command.verb.rawValue))
            }
        case .control(let verb, .session(let name)):
            _ = try sessions.find(name, at: JSONPath([.name(verb.rawValue), .name("session")]))
        case .run, .tasks, .control: break
        }
    }

    /// Who may only speak to an agent must not be able to make it a program of theirs, by its environment, by what lies
    /// in its directory, or by where its result goes.
    private func checkForeign(_ options: TaskOptions) throws(TaskFault) {
        let given = [("env", options.env != nil), ("cwd", options.cwd != nil), ("reply_to", options.replyTo != nil)]
        guard let field = given.first(where: \.1)?.0 else { return }
        throw TaskFault(
            "user_not_accepted", "\"\(field)\" of a prompt is for the daemon's own user", at: JSONPath([.name(field)]), isAtName: true,
            expected: "no \"\(field)\"")
    }

    private func checkAgent(_ name: String, _ accept: QueueConfiguration.Accept?) throws(TaskFault) {
        guard let agents = accept?.agents, !agents.contains(name) else { return }
        throw TaskFault(
            "agent_not_accepted", "the queue does not take prompts for the agent \"\(name)\"", at: JSONPath(),
            expected: "one of the agents " + agents.joined(separator: ", "))
    }

    private func checkUnlocked(_ session: Session) throws(TaskFault) {
        guard let lock = session.record.locked else { return }
        throw TaskFault(
            "session_locked", "the session \"\(session.name)\" is locked by \(lock.by)\(lock.reason.map { ": " + $0 } ?? "")",
            at: JSONPath([.name("session")]), expected: "a session that is not locked", hint: lock.hint ?? "unlock it: rouse session unlock \(session.name)")
    }

    private func checkPending(_ session: Session, siblings: Int) throws {
        let rows = try ledger.store.list(JobFilter(states: [.queued, .waiting], queue: session.queue))
        let count = rows.count { $0.verb == "prompt" } + siblings
        guard count >= session.definition.pending else { return }
        throw TaskFault(
            "too_many_prompts", "\(count) prompts wait for the session \"\(session.name)\" already; at most \(session.definition.pending) may",
            at: JSONPath([.name("session")]), expected: "a session with fewer prompts waiting",
            hint: "wait for some to be done, or raise \"pending\" in the session's definition")
    }

    /// The options of a turn, with what its session, or else its agent, says where the task does not.
    func turnOptions(_ file: TaskFile) -> (TaskOptions, Origins) {
        var options = file.options
        var origins = options.origins()
        let session = file.verb.turnSession.flatMap { sessions[$0] }
        var name = session?.definition.agent
        if case .prompt(let prompt) = file.verb { name = prompt.agent ?? name }
        let agent = name.flatMap { agents[$0]?.configuration }
        func fill(_ field: String, _ path: WritableKeyPath<TaskOptions, TimeSpan?>, _ ofSession: TimeSpan?, _ ofAgent: TimeSpan?) {
            guard options[keyPath: path] == nil, let value = ofSession ?? ofAgent else { return }
            options[keyPath: path] = value
            origins.set(ofSession == nil ? .agent : .session, for: field)
        }
        fill("timeout", \.timeout, session?.definition.timeout, agent?.timeout)
        fill("grace", \.grace, session?.definition.grace, agent?.grace)
        if case .wake(let wake) = file.verb, let name = wake.sessions.first { options = Wakes.keyed(options, name) }
        return (options, origins)
    }
}
