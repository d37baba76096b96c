import SpoolFormat

/// `sessions/<name>/acp.json`: what a turn must know of the agent's process that the turn before has learned. It holds
/// for that very process; another one begins from nothing.
struct ACPState: Equatable {
    let agent: ProcessIdentity
    /// What the agent answered to `initialize`.
    var initialized: JSON?
    var sessionID: String?
    /// The session has answered a prompt in this process. One that was only loaded may not exist.
    var isTrusted = false
    /// A session that was only loaded has answered nothing once. That may have been the model's fault; the second time it
    /// is taken for lost.
    var isDoubted = false
    var nextID = 1
    /// The id of a prompt that has been sent and not been answered.
    var outstanding: Int?
    /// Requests of the agent that wait for an answer. A turn that dies takes them with it, and the agent waits on.
    var unanswered: [Request] = []
    /// A turn is at it. Found so by the next turn, it has died, perhaps in the middle of a line.
    var isInTurn = false

    struct Request: Equatable {
        let id: JSON
        let method: String
    }

    init(_ agent: ProcessIdentity) { self.agent = agent }

    static func load(for agent: ProcessIdentity, from session: Directory?) -> ACPState {
        guard let session, let json = (try? session.readJSON(SpoolLayout.Session.acp)) ?? nil, let state = ACPState(json), state.agent == agent
        else { return ACPState(agent) }
        return state
    }

    /// - Throws: where it can't be written; then nothing may be sent that the next turn must know of.
    func save(to session: Directory?) throws(TurnFault) {
        do throws(SystemFault) { try session?.replace(SpoolLayout.Session.acp, with: JSONWriter.write(json)) } catch { throw TurnFault(error) }
    }

    private var json: JSON {
        var object: JSONObject = ["agent": agent.json]
        object["session_id"] = .optional(sessionID)
        object["trusted"] = isTrusted ? true : nil
        object["doubted"] = isDoubted ? true : nil
        object["next_id"] = .number(nextID)
        object["outstanding"] = .optional(outstanding)
        object["unanswered"] = unanswered.isEmpty ? nil : .array(unanswered.map { ["id": $0.id, "method": .string($0.method)] })
        object["in_turn"] = isInTurn ? true : nil
        object["initialized"] = initialized
        return .object(object)
    }

    private init?(_ value: JSON) {
        guard let agent = value["agent"].flatMap(ProcessIdentity.init), let nextID = value["next_id"]?.int else { return nil }
        self.init(agent)
        self.nextID = nextID
        initialized = value["initialized"]
        sessionID = value["session_id"]?.string
        isTrusted = value["trusted"]?.bool ?? false
        isDoubted = value["doubted"]?.bool ?? false
        outstanding = value["outstanding"]?.int
        unanswered = (value["unanswered"]?.array ?? []).compactMap { request in
            guard let id = request["id"], let method = request["method"]?.string else { return nil }
            return Request(id: id, method: method)
        }
        isInTurn = value["in_turn"]?.bool ?? false
    }
}
