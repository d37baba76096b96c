import ArgumentParser
import Glibc
import SpoolFormat

/// Every field of a task as an option. The values are checked by the reader of tasks, not here, so that the command
/// line and a file are told the same.
struct TaskArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Queue to put the job in; inbox/<name>/ is used where it exists.", valueName: "name"))
    var queue: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("low, medium, high, urgent, or -100 to 100.", valueName: "priority"),
        completion: .list(["low", "medium", "high", "urgent"]))
    var priority: String?

    @Option(help: ArgumentHelp("At most one unfinished job has this key.", valueName: "text"))
    var key: String?

    @Option(
        help: ArgumentHelp("When the key is taken: drop this task, replace the job that has it, or queue behind it.", valueName: "policy"),
        completion: .list(DuplicatePolicy.allCases.map(\.rawValue)))
    var onDuplicate: String?

    @Option(help: ArgumentHelp("Id or key of a job that must be done first; may be repeated.", valueName: "job"), completion: .jobIDs)
    var after: [String] = []

    @Option(
        help: ArgumentHelp("When a job of --after fails: fail, or run all the same.", valueName: "policy"),
        completion: .list(FailedDependencyPolicy.allCases.map(\.rawValue)))
    var afterFailed: String?

    @Option(help: ArgumentHelp("Start no sooner than this, as 2026-11-21T22:00:00Z.", valueName: "time"))
    var notBefore: String?

    @Option(help: ArgumentHelp("Start no sooner than in this time, as 90s, 30m, 2h, 1d.", valueName: "duration"))
    var delay: String?

    @Option(help: ArgumentHelp("Not worth starting after this.", valueName: "time"))
    var expiresAt: String?

    @Option(help: ArgumentHelp("Not worth starting after this time.", valueName: "duration"))
    var expiresIn: String?

    @Option(help: ArgumentHelp("End the job after this time (default 1h).", valueName: "duration"))
    var timeout: String?

    @Option(help: ArgumentHelp("Time between SIGTERM and SIGKILL (default 10s).", valueName: "duration"))
    var grace: String?

    @Option(help: ArgumentHelp("Tries after the first one that fails (default 0).", valueName: "count"))
    var retries: Int?

    @Option(help: ArgumentHelp("Wait between tries: base=5s,factor=2,max=10m,jitter=0.1.", valueName: "fields"))
    var backoff: String?

    @Option(help: ArgumentHelp("Working directory. (default for a command: the current one)", valueName: "dir"), completion: .directory)
    var cwd: String?

    @Flag(help: "Run in a directory of the job's own, kept with its result.")
    var ownDirectory = false

    @Option(help: ArgumentHelp("NAME=VALUE, or NAME for its value here; may be repeated.", valueName: "variable"))
    var env: [String] = []

    @Option(
        help: ArgumentHelp("NAME=PATH: read the value from that file at the start, for secrets; may be repeated.", valueName: "variable"))
    var envFile: [String] = []

    @Option(parsing: .unconditional, help: ArgumentHelp("Text for the job's standard input.", valueName: "text"))
    var stdin: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("File for the job's standard input; - takes what comes in here.", valueName: "path"),
        completion: .file())
    var stdinFile: String?

    @Option(
        help: ArgumentHelp("When the machine or the runner dies: rerun (at least once), or fail (at most once).", valueName: "policy"),
        completion: .list(CrashPolicy.allCases.map(\.rawValue)))
    var onCrash: String?

    @Option(help: ArgumentHelp("Put a copy of the result there.", valueName: "path"), completion: .file())
    var replyTo: String?

    @Option(
        help: ArgumentHelp("memory=512M, cpu_seconds=60, open_files=256, processes=64 or log_bytes=1M; may be repeated.", valueName: "limit"))
    var limit: [String] = []

    @Option(help: ArgumentHelp("NAME=VALUE; may be repeated.", valueName: "label"))
    var label: [String] = []

    @Option(help: ArgumentHelp("Session to wake when the job finishes; may be repeated.", valueName: "session"), completion: .sessionNames)
    var notify: [String] = []

    @Option(help: ArgumentHelp("The job this one belongs to. (default: $ROUSE_JOB_ID)", valueName: "job"), completion: .jobIDs)
    var parent: String?

    /// The fields that were given, but for the queue, which may be a matter of the inbox alone.
    func fields() throws -> JSONObject {
        var fields = JSONObject()
        fields["priority"] = priority.map { text in Int64(text).map(JSON.int) ?? .string(text) }
        fields["key"] = .optional(key)
        fields["on_duplicate"] = .optional(onDuplicate)
        fields["after"] = after.isEmpty ? nil : .array(after.map(JSON.string))
        fields["after_failed"] = .optional(afterFailed)
        fields["not_before"] = .optional(notBefore)
        fields["delay"] = .optional(delay)
        fields["expires_at"] = .optional(expiresAt)
        fields["expires_in"] = .optional(expiresIn)
        fields["timeout"] = .optional(timeout)
        fields["grace"] = .optional(grace)
        fields["retries"] = .optional(retries)
        fields["backoff"] = try backoff.map { try numbered(pairs($0.split(separator: ",").map(String.init), of: "--backoff")) }
        fields["cwd"] = .optional(try cwd.map(absolute))
        fields["env"] = try environment()
        fields["stdin"] = try standardInput()
        fields["on_crash"] = .optional(onCrash)
        fields["reply_to"] = .optional(try replyTo.map(absolute))
        fields["limits"] = limit.isEmpty ? nil : numbered(try pairs(limit, of: "--limit"))
        fields["labels"] = label.isEmpty ? nil : JSON(try map(label, of: "--label"))
        fields["notify"] = notify.isEmpty ? nil : .array(notify.map(JSON.string))
        fields["parent"] = .optional(parent ?? Terminal.environment("ROUSE_JOB_ID").flatMap { $0.isEmpty ? nil : $0 })
        return fields
    }

    func validate() throws {
        if cwd != nil, ownDirectory { throw ValidationError("--cwd and --own-directory exclude each other.") }
        if stdin != nil, stdinFile != nil { throw ValidationError("--stdin and --stdin-file exclude each other.") }
    }

    private func environment() throws -> JSON? {
        guard !env.isEmpty || !envFile.isEmpty else { return nil }
        var object = JSONObject()
        for text in env {
            if text.contains("=") {
                for (name, value) in try pairs([text], of: "--env") { object[name] = .string(value) }
            } else {
                guard let value = Terminal.environment(text) else { throw ValidationError("--env \(text): there is no such variable here.") }
                object[text] = .string(value)
            }
        }
        for (name, path) in try pairs(envFile, of: "--env-file") { object[name] = ["from_file": .string(try absolute(path))] }
        return .object(object)
    }

    private func standardInput() throws -> JSON? {
        if let stdin { return .string(stdin) }
        guard let stdinFile else { return nil }
        guard stdinFile == "-" else { return ["file": .string(try absolute(stdinFile))] }
        let bytes = try TaskText.read("-")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFault("standard input is not UTF-8; put it into a file and use --stdin-file PATH", .badData)
        }
        return .string(text)
    }

    private func pairs(_ texts: [String], of option: String) throws -> [(name: String, value: String)] {
        try texts.map { text in
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ValidationError("\(option) takes NAME=VALUE, not \"\(text)\".")
            }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }

    private func map(_ texts: [String], of option: String) throws -> [String: String] {
        Dictionary(try pairs(texts, of: option).map { ($0.name, $0.value) }) { _, last in last }
    }

    private func numbered(_ pairs: [(name: String, value: String)]) -> JSON {
        var object = JSONObject()
        for (name, value) in pairs {
            object[name] = Int64(value).map(JSON.int) ?? Double(value).map(JSON.double) ?? .string(value)
        }
        return .object(object)
    }

    private func absolute(_ path: String) throws -> String {
        if path.hasPrefix("/") || path.isEmpty { return path }
        return try Self.currentDirectory() + "/" + path
    }

    static func currentDirectory() throws -> String {
        guard let path = getcwd(nil, 0) else { throw SystemFault("find the current directory", ".") }
        defer { free(path) }
        return String(cString: path)
    }
}
