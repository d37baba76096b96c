// The records of a job, read from and written to its directory.

/// A record that is there but can't be read: cut short by a power cut, or written by somebody else.
public struct DamagedRecord: Error, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(path) is damaged: \(reason)" }
}

extension Directory {
    /// The JSON in `name`; `nil` where there is no such file.
    public func readJSON(_ name: some FileName) throws -> JSON? {
        guard let (bytes, status) = try read(name) else { return nil }
        guard status.kind == .file else { throw DamagedRecord(path: path + "/" + name.display, reason: "it is \(status.kind.words)") }
        do { return try JSONReader.read(bytes, maximumDepth: JSONReader.maximumRecordDepth) } catch {
            throw DamagedRecord(
                path: path + "/" + name.display,
                reason: "line \(error.position.line), column \(error.position.column): expected \(error.expected)")
        }
    }

    public func readTask() throws -> TaskRecord? {
        guard let json = try readJSON(SpoolLayout.Job.task) else { return nil }
        do { return try TaskRecord.read(json) } catch {
            throw DamagedRecord(path: path + "/" + SpoolLayout.Job.task, reason: error.message)
        }
    }

    public func readRun() throws -> RunRecord? {
        guard let json = try readJSON(SpoolLayout.Job.run) else { return nil }
        do { return try RunRecord.read(json) } catch {
            throw DamagedRecord(path: path + "/" + SpoolLayout.Job.run, reason: error.message)
        }
    }

    public func readState() throws -> StateRecord? { try record(SpoolLayout.Job.state, StateRecord.init) }
    public func readExit() throws -> ExitRecord? { try record(SpoolLayout.Job.exit, ExitRecord.init) }
    public func readResult() throws -> ResultRecord? { try record(SpoolLayout.Job.result, ResultRecord.init) }

    private func record<Record>(_ name: String, _ convert: (JSON) -> Record?) throws -> Record? {
        guard let json = try readJSON(name) else { return nil }
        guard let record = convert(json) else {
            throw DamagedRecord(path: path + "/" + name, reason: "fields that belong there are missing")
        }
        return record
    }

    /// Writes `state.json`, or removes it where there is nothing to say.
    public func replaceState(_ state: StateRecord) throws(SystemFault) {
        if state.isEmpty { return try removeFile(SpoolLayout.Job.state) }
        try replace(SpoolLayout.Job.state, with: JSONWriter.write(state.json))
    }
}
