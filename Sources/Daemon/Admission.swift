import Glibc
import JobIndex
import SpoolFormat

/// Whether this spool takes a task, and as what: the meaning of a task whose form is right.
struct Admission {
    let ledger: Ledger
    let queues: QueueBook
    let agents: AgentBook
    let sessions: SessionBook

    /// A task as it came in.
    struct Request {
        var file: TaskFile
        var id: JobID
        /// The queue whose inbox it was dropped into, or `nil` for `inbox/` itself.
        var inboxQueue: String?
        var uid: UInt32
        var now: Timestamp
        /// Jobs of the same batch that are admitted with it, by their parent.
        var siblings: [String: Int] = [:]
        /// And prompts of it, by their session.
        var prompts: [String: Int] = [:]
    }

    struct Admitted {
        var task: TaskRecord
        var readiness: Readiness
        /// Unfinished jobs whose place this one takes.
        var supersedes: [JobRow] = []
        /// It is a wake that joins another, and is over with that.
        var isJoining = false
    }

    func admit(_ request: Request) throws -> Admitted {
        let task = try record(request)
        guard !task.isControl else { return Admitted(task: task, readiness: .ready) }
        return try place(task, now: request.now)
    }

    /// The jobs of a `tasks` task; none is accepted unless all can be.
    func admitElements(of batch: TaskRecord, tasks: [TaskFile], now: Timestamp) throws -> [TaskRecord] {
        var ids: [JobID] = []
        for (index, task) in tasks.enumerated() {
            let place = JSONPath([.name("tasks"), .index(index)])
            guard let id = JobID(task.id ?? "\(batch.id).\(index)") else {
                throw TaskFault("bad_value", "\(batch.id).\(index) is too long for a job's id", at: place, hint: "drop the file under a shorter name")
            }
            guard !ids.contains(id), id != batch.id, !ledger.isUsed(id) else {
                throw TaskFault("id_in_use", "there already is a job called \(id)", at: place.appending("id"))
            }
            ids.append(id)
        }
        var records: [TaskRecord] = []
        var children: [String: Int] = [:]
        var prompts: [String: Int] = [:]
        if let parent = batch.options.parent { children[parent] = 1 }
        for (index, task) in tasks.enumerated() {
            let place = JSONPath([.name("tasks"), .index(index)])
            do {
                var task = task
                task.options.after = try task.options.after?.enumerated().map { offset, dependency in
                    guard case .position(let position) = dependency else { return dependency }
                    guard ids.indices.contains(position), position != index else {
                        throw TaskFault(
                            "bad_value", "there is no other task at position \(position)",
                            at: JSONPath([.name("after"), .index(offset)]), expected: "a position from 0 to \(ids.count - 1)")
                    }
                    return .name(ids[position].text)
                }
                task.options.parent = task.options.parent ?? batch.options.parent
                task.options.labels = (batch.options.labels ?? [:]).merging(task.options.labels ?? [:]) { _, own in own }
                if task.options.labels?.isEmpty == true { task.options.labels = nil }
                task.id = nil
                records.append(try record(Request(file: task, id: ids[index], inboxQueue: batch.queue == Defaults.queue ? nil : batch.queue, uid: batch.uid, now: now, siblings: children, prompts: prompts)))
                if case .prompt(let prompt) = task.verb, let session = prompt.session { prompts[session, default: 0] += 1 }
                if let parent = task.options.parent { children[parent, default: 0] += 1 }
            } catch var fault as TaskFault {
                fault.path = JSONPath(place.steps + fault.path.steps)
                throw fault
            }
        }
        try checkCycles(among: records)
        return records
    }

    /// Where an admitted job goes: what its key, its dependencies and its times say.
    func place(_ task: TaskRecord, now: Timestamp) throws -> Admitted {
        var admitted = Admitted(task: task, readiness: .ready)
        if let name = task.verb.turnSession, case .wake = task.verb, Wakes.isForNow(task.options) {
            let pending = try Wakes.pending(name, in: ledger.store)
            // What others' reasons may join must not be another user's, who could cancel it.
            if pending != nil || !isOwn(task.uid) {
                admitted.isJoining = true
                admitted.readiness = .ends(.succeeded, nil)
                return admitted
            }
        }
        if let key = task.options.key {
            switch task.options.onDuplicate ?? .drop {
            case .drop:
                if let holder = try ledger.store.holder(ofKey: key, before: .max), holder.id != task.id {
                    admitted.readiness = .ends(.superseded, ErrorRecord("already_running", "the key \"\(key)\" is held by \(holder.id)"))
                    return admitted
                }
            case .replace:
                admitted.supersedes = try ledger.store.unfinished(key: key).filter { $0.id != task.id }
                if let other = admitted.supersedes.first(where: { $0.uid != task.uid }), !isOwn(task.uid) {
                    throw TaskFault(
                        "user_not_accepted", "the key \"\(key)\" is held by \(other.id), which belongs to user \(other.uid)",
                        at: JSONPath([.name("key")]), expected: "a key of one's own jobs")
                }
            case .queue: break
            }
        }
        admitted.readiness = try Readiness.judge(task, past: StateRecord(), store: ledger.store, now: now)
        return admitted
    }

    private func record(_ request: Request) throws -> TaskRecord {
        let file = Self.single(request.file)
        if let inbox = request.inboxQueue, let queue = file.options.queue, queue != inbox {
            throw TaskFault(
                "wrong_queue", "it was dropped into inbox/\(inbox)/ and says \"queue\": \"\(queue)\"",
                at: JSONPath([.name("queue")]), hint: "drop it into inbox/ or leave \"queue\" out")
        }
        var queue = request.inboxQueue ?? file.options.queue ?? Defaults.queue
        let configuration = queues[queue]
        try checkAccepted(request.file.verb, queue: queue, configuration, uid: request.uid)
        try checkParties(file, accept: configuration.accept, uid: request.uid, prompts: request.prompts)
        var options = file.options
        var origins: Origins?
        if case .run = file.verb {
            options = options.filled(from: configuration.defaults)
            origins = file.options.origins(filledFrom: configuration.defaults)
        } else if file.verb.runs {
            (options, origins) = turnOptions(file)
            if let session = file.verb.turnSession { queue = SessionName.queue(of: session) }
        }
        try checkReply(options.replyTo, configuration, uid: request.uid)
        let depth = try depth(of: options.parent, siblings: request.siblings)
        let task = TaskRecord(
            id: request.id, sequence: ledger.takeSequence(), verb: file.verb, queue: queue, uid: request.uid,
            acceptedAt: request.now, depth: depth, options: options, origins: origins)
        if let expiry = task.options.expiresAt, let start = task.options.notBefore, expiry <= start {
            throw TaskFault(
                "bad_value", "it expires at \(expiry), before it may start at \(start)",
                at: JSONPath([.name(options.expiresIn == nil ? "expires_at" : "expires_in")]), expected: "a later time")
        }
        try checkCycle(task)
        return task
    }

    private func checkAccepted(_ verb: Verb, queue: String, _ configuration: QueueConfiguration, uid: UInt32) throws(TaskFault) {
        let accept = configuration.accept
        if let verbs = accept?.verbs, !verbs.contains(verb.name) {
            throw TaskFault(
                "verb_not_accepted", "the queue \"\(queue)\" does not take \"\(verb.name)\"",
                at: JSONPath([.name(verb.name)]), isAtName: true, expected: "one of " + verbs.joined(separator: ", "))
        }
        if let uids = accept?.uids {
            guard uids.contains(uid) else {
                throw TaskFault("user_not_accepted", "the queue \"\(queue)\" does not take tasks of user \(uid)", expected: "one of the users \(uids.map(String.init).joined(separator: ", "))")
            }
        } else if accept == nil, !isOwn(uid) {
            throw TaskFault(
                "user_not_accepted", "the file belongs to user \(uid), and the queue \"\(queue)\" is not open to others",
                hint: "say who may drop: \"accept\": {\"uids\": [\(uid)]} in config/queues/\(queue).json")
        }
    }

    func isOwn(_ uid: UInt32) -> Bool { uid == geteuid() || uid == 0 }

    /// Who may drop as the daemon's user can write anywhere by a program; others write only where the queue says.
    private func checkReply(_ path: String?, _ configuration: QueueConfiguration, uid: UInt32) throws(TaskFault) {
        guard let path else { return }
        if configuration.replyRoots.isEmpty, isOwn(uid) { return }
        let isInside = configuration.replyRoots.contains { root in
            path.hasPrefix(root.hasSuffix("/") ? root : root + "/")
        }
        guard isInside, !path.split(separator: "/").contains("..") else {
            throw TaskFault(
                "reply_not_allowed", "\(path) is not inside a directory that the queue lets replies go to",
                at: JSONPath([.name("reply_to")]),
                expected: configuration.replyRoots.isEmpty ? "a queue with reply_roots" : "a path inside " + configuration.replyRoots.joined(separator: " or "))
        }
    }

    private func depth(of parent: String?, siblings: [String: Int]) throws -> Int {
        guard let parent, let id = JobID(parent) else { return 0 }
        let depth = (try ledger.store.job(id)?.depth ?? 0) + 1
        guard depth <= Defaults.deepestChild else {
            throw TaskFault(
                "parent_too_deep", "it would stand \(depth) jobs below the first one; at most \(Defaults.deepestChild) are allowed",
                at: JSONPath([.name("parent")]), hint: "does a job drop itself again and again?")
        }
        let children = try ledger.store.childCount(of: parent) + siblings[parent, default: 0]
        guard children < Defaults.mostChildren else {
            throw TaskFault(
                "too_many_children", "\(parent) has dropped \(children) jobs already; at most \(Defaults.mostChildren) are allowed",
                at: JSONPath([.name("parent")]), hint: "does a job drop others without end?")
        }
        return depth
    }

    /// Follows `after` from job to job. A job may name one that is yet to come, so a circle can close with any task.
    private func checkCycle(_ task: TaskRecord) throws {
        var names = Set([task.id.text])
        if let key = task.options.key { names.insert(key) }
        // Only who is waited for can close one.
        let isWaitedFor = try !ledger.nobodyWaits && names.contains { try !ledger.store.waiting(forDependency: $0).isEmpty }
        guard isWaitedFor || names.contains(where: task.dependencies.contains) else { return }
        var visited: Set<String> = []
        var trail = task.dependencies
        while let name = trail.popLast() {
            if names.contains(name) { throw cycle(task.dependencies, at: JSONPath([.name("after")])) }
            guard visited.insert(name).inserted else { continue }
            if let id = JobID(name), let row = try ledger.store.job(id) {
                if !row.state.isFinished { trail += row.dependencies }
            } else {
                trail += try ledger.store.unfinished(key: name).flatMap(\.dependencies)
            }
        }
    }

    private func checkCycles(among tasks: [TaskRecord]) throws(TaskFault) {
        let dependencies = Dictionary(tasks.map { ($0.id.text, $0.dependencies) }) { one, _ in one }
        for (index, task) in tasks.enumerated() {
            var visited: Set<String> = []
            var trail = task.dependencies
            while let name = trail.popLast() {
                if name == task.id.text {
                    throw cycle(task.dependencies, at: JSONPath([.name("tasks"), .index(index), .name("after")]))
                }
                if visited.insert(name).inserted { trail += dependencies[name] ?? [] }
            }
        }
    }

    private func cycle(_ dependencies: [String], at path: JSONPath) -> TaskFault {
        TaskFault(
            "cycle", "by way of \(dependencies.joined(separator: ", ")) it would wait for itself", at: path,
            expected: "jobs that do not wait for this one")
    }
}
