import Glibc
import SpoolFormat

/// One session as its files have it: what is defined, what the daemon last knew, and what the turn says of itself.
struct SessionFiles {
    let name: String
    /// `sessions/<name>`; `nil` for one that is defined and that no daemon has seen yet.
    let directory: Directory?
    let definition: SessionConfiguration?
    let record: SessionRecord?
    let waiting: WaitingRecord?
    let turn: TurnReport?

    init(_ name: String, in spool: SpoolDirectory) throws {
        guard SessionName.check(name) != nil else { throw CommandFault("\"\(name)\" is no session: \(SessionName.expected)", .usage) }
        self.name = name
        let directory = try? spool.directory(SpoolLayout.sessions)?.directory(name)
        self.directory = directory
        func read(_ file: String) -> JSON? { directory.flatMap { (try? $0.readJSON(file)) ?? nil } }
        let configured = try spool.directory(Self.configuration).flatMap { (try? $0.readJSON(name + ".json")) ?? nil }
        definition = Self.definition(read(SpoolLayout.Session.definition) ?? configured)
        record = read(SpoolLayout.Session.state).flatMap(SessionRecord.init)
        waiting = read(SpoolLayout.Session.waiting).flatMap(WaitingRecord.init)
        turn = read(SpoolLayout.Session.turn).flatMap(TurnReport.init)
        guard definition != nil || record != nil else { throw Self.unknown(name, in: spool) }
    }

    static let configuration = SpoolLayout.config + "/sessions"

    /// `session.json` says the session's name beside what a configuration says.
    private static func definition(_ json: JSON?) -> SessionConfiguration? {
        guard var object = json?.object else { return nil }
        for name in ["session", "configured"] { object[name] = nil }
        return try? SessionConfiguration.read(.object(object))
    }

    /// All that are defined or were.
    static func names(in spool: SpoolDirectory) -> [String] {
        var names: Set<String> = []
        for entry in (try? spool.directory(SpoolLayout.sessions)?.entries()) ?? [] where entry.kind == .directory || entry.kind == nil {
            if let name = SessionName.check(entry.name.display) { names.insert(name) }
        }
        for entry in (try? spool.directory(configuration)?.entries()) ?? [] where entry.name.hasSuffix(".json") {
            if let name = SessionName.check(String(entry.name.display.dropLast(5))) { names.insert(name) }
        }
        return names.sorted()
    }

    static func unknown(_ name: String, in spool: SpoolDirectory) -> CommandFault {
        let hint = nearest(to: name, among: names(in: spool)).map { "did you mean \($0)?" } ?? "open it with: rouse session open \(name) --agent AGENT"
        return CommandFault("there is no session \(name) in \(spool.path); \(hint)", .missing)
    }

    var state: SessionState { record?.state ?? .cold }
    var agent: String? { definition?.agent ?? record?.agent }

    /// How its agent is talked to, where that is known.
    func driver(in spool: SpoolDirectory) -> AgentConfiguration.Driver? {
        guard let agent, let directory = try? spool.directory(SpoolLayout.config + "/agents"),
            let json = (try? directory.readJSON(agent + ".json")) ?? nil
        else { return nil }
        return json["driver"]?.string.flatMap(AgentConfiguration.Driver.init)
    }
}
