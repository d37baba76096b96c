import Glibc
import SpoolFormat

/// Looks at `config/` as the daemon does.
struct ConfigurationCheck {
    let spool: SpoolDirectory

    func findings() -> [Finding] {
        guard let config = try? spool.root.directory(SpoolLayout.config) else { return [] }
        var findings = distrust(config, "config/")
        var count = 0
        for (kind, read) in [("queues", Self.queue), ("schedules", Self.schedule), ("agents", Self.agent), ("sessions", Self.session)] {
            guard let directory = try? config.directory(kind), let entries = try? directory.entries() else { continue }
            findings += distrust(directory, "config/\(kind)/")
            for entry in entries.sorted(by: { $0.name.display < $1.name.display }) where !entry.name.hasPrefix(".") && !entry.name.hasSuffix(".error.json") {
                count += 1
                if let finding = finding(entry.name, in: directory, "config/\(kind)/\(entry.name.display)", read) { findings.append(finding) }
            }
        }
        findings += parties(config)
        return findings.isEmpty ? [.ok("config", "\(count) \(count == 1 ? "file" : "files")")] : findings
    }

    /// Whether the sessions have their agents, and the agents their programs.
    private func parties(_ config: Directory) -> [Finding] {
        let agents = values("agents", in: config, AgentConfiguration.read)
        var findings: [Finding] = []
        for (name, session) in values("sessions", in: config, SessionConfiguration.read) where agents[session.agent] == nil {
            findings.append(.fail("config", "the session \(name) has the agent \(session.agent), which is not there", "describe it in config/agents/\(session.agent).json"))
        }
        for (name, agent) in agents.sorted(by: { $0.key < $1.key }) {
            for program in [agent.command[0]] + (agent.driver == .tmux ? ["tmux"] : []) where !Self.isThere(program) {
                findings.append(.warn("config", "the agent \(name) needs \(program), which is not in PATH here", "install it, or give its whole path"))
            }
        }
        return findings
    }

    private func values<Value>(_ kind: String, in config: Directory, _ read: (JSON) throws(TaskFault) -> Value) -> [String: Value] {
        guard let directory = try? config.directory(kind), let entries = try? directory.entries() else { return [:] }
        var values: [String: Value] = [:]
        for entry in entries {
            guard let name = JobID(fileName: entry.name)?.text, let json = (try? directory.readJSON(entry.name)) ?? nil else { continue }
            do { values[name] = try read(json) } catch { continue }
        }
        return values
    }

    private static func isThere(_ program: String) -> Bool {
        if program.contains("/") { return access(program, X_OK) == 0 }
        let path = Terminal.environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    private func distrust(_ directory: Directory, _ name: String) -> [Finding] {
        guard let status = try? directory.status(), status.mode & 0o022 != 0 else { return [] }
        return [.fail("config", "others can write in \(name), so what is in it is refused", "chmod go-w \(directory.path)")]
    }

    private func finding(
        _ name: EntryName, in directory: Directory, _ place: String, _ read: (JSON) throws(TaskFault) -> Void
    ) -> Finding? {
        guard JobID(fileName: name).flatMap({ QueueName.check($0.text) }) != nil else {
            return .warn("config", "\(place) is not read", "a file of configuration is called <name>.json: \(QueueName.expected)")
        }
        do {
            guard let status = try directory.status(name) else { return nil }
            if status.kind != .file { return .fail("config", "\(place) is \(status.kind.words), so it is refused", "put the file itself there") }
            if status.uid != geteuid(), status.uid != 0, geteuid() != 0 {
                return .fail("config", "\(place) belongs to user \(status.uid), so it is refused", "chown it to the daemon's user")
            }
            if status.mode & 0o022 != 0 { return .fail("config", "\(place) can be written by others, so it is refused", "chmod go-w \(spool.path)/\(place)") }
            guard let (bytes, _) = try directory.read(name) else { return nil }
            guard let fault = fault(bytes, place, read) else { return nil }
            return .fail("config", fault, "mend the file; the last good one stays in force until then")
        } catch {
            return .fail("config", "\(error)", "give this user rights to it")
        }
    }

    private func fault(_ bytes: [UInt8], _ place: String, _ read: (JSON) throws(TaskFault) -> Void) -> String? {
        let value: JSON
        do { value = try JSONReader.read(bytes) } catch { return RejectionText(RejectionRecord(error, file: place)).text }
        do { try read(value) } catch { return RejectionText(RejectionRecord(error, file: place, text: bytes)).text }
        return nil
    }

    private static func queue(_ value: JSON) throws(TaskFault) { _ = try QueueConfiguration.read(value) }
    private static func agent(_ value: JSON) throws(TaskFault) { _ = try AgentConfiguration.read(value) }
    private static func session(_ value: JSON) throws(TaskFault) { _ = try SessionConfiguration.read(value) }
    private static func schedule(_ value: JSON) throws(TaskFault) { _ = try ScheduleConfiguration.read(value).recurrence() }
}
