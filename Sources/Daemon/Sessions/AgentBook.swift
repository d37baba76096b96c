import SpoolFormat

/// The agents of `config/agents/`.
final class AgentBook {
    struct Entry: Equatable {
        let configuration: AgentConfiguration
        /// As the file has it, for the driver.
        let json: JSON
    }

    private let files: ConfigurationDirectory<Entry>

    init(_ spool: Spool) {
        files = ConfigurationDirectory(spool, "agents") { json throws(TaskFault) in
            Entry(configuration: try AgentConfiguration.read(json), json: json)
        }
    }

    /// When a file that may be half-written is to be looked at again.
    var nextLook: TimeSpan? { files.nextLook }

    func refresh(_ report: (ConfigurationDirectory<Entry>.Change) throws -> Void) throws { try files.refresh(report) }

    subscript(name: String) -> Entry? { files.values[name] }

    /// The agent, or why it can't be used.
    func find(_ name: String, at path: JSONPath) throws(TaskFault) -> Entry {
        if let entry = self[name] { return entry }
        let names = files.values.keys.sorted()
        throw TaskFault(
            "unknown_agent", "there is no agent called \"\(name)\"", at: path,
            expected: names.isEmpty ? "an agent of config/agents/<name>.json" : "one of " + names.joined(separator: ", "),
            hint: nearest(to: name, among: names).map { "did you mean \"\($0)\"?" } ?? "describe it in config/agents/\(name).json")
    }
}
