import SpoolFormat

/// The agents that are defined.
enum AgentNames {
    static func all(in spool: SpoolDirectory) -> [String] {
        let entries = (try? spool.directory(SpoolLayout.config + "/agents")?.entries()) ?? []
        return entries.filter { !$0.name.hasSuffix(".error.json") }.compactMap { JobID(fileName: $0.name).flatMap { SessionName.check($0.text) } }.sorted()
    }

    /// A new session needs one.
    static func missing(for session: String, in spool: SpoolDirectory) -> CommandFault {
        let names = all(in: spool)
        guard let first = names.first else {
            return CommandFault(
                "there is no session \(session) yet, and a new one needs an agent; none is defined: describe one in "
                    + "\(spool.path(SpoolLayout.config, "agents"))/NAME.json (rouse schema agent; examples/agents/ has some), then: rouse session open \(session) --agent NAME",
                .usage)
        }
        return CommandFault(
            "there is no session \(session) yet, and a new one needs an agent: rouse session open \(session) --agent \(first)\n  defined: \(names.joined(separator: ", "))",
            .usage)
    }
}
