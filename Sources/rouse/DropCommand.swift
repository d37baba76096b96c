import ArgumentParser
import Glibc
import SpoolFormat

struct DropCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Drop tasks into the inbox.",
        usage: """
            rouse drop [<options>] -- <command> [<argument> ...]
            rouse drop [<options>] --shell <text>
            rouse drop [<options>] <file> ...
            rouse drop [<options>] < task.json
            """,
        discussion: """
            A task is a command after --, text for a shell, or JSON from files or standard input (-). It is checked \
            before it is dropped, by the reader that the daemon uses. Options set fields over what a file says. A \
            command runs in the current directory unless --cwd or --own-directory say otherwise.

            The id of the job is printed. When it has been, the task is on disk, and survives a power cut; whether a \
            daemon is running is of no matter to it. Nothing in the inbox is ever overwritten.
            """)

    @OptionGroup var spool: SpoolOption

    @Option(help: ArgumentHelp("The job's id. (default: the file's name if it is free, or a new one)", valueName: "id"))
    var id: String?

    @Option(name: [.customShort("c"), .long], help: ArgumentHelp("Run this text by /bin/sh -c.", valueName: "text"))
    var shell: String?

    @OptionGroup(title: "Task") var task: TaskArguments

    @Flag(help: "Wait until the job is finished, and exit as it did.")
    var wait = false

    @Flag(help: "Print a JSON object on a line for each task.")
    var json = false

    @Argument(
        help: ArgumentHelp("Task files; - is standard input. After --: the program to run, with its arguments.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var words: [String] = []

    /// The words after `--`. The parser takes them for arguments like those before it.
    private var command: [String] {
        let all = CommandLine.arguments
        for index in all.indices where all[index] == "--" {
            let rest = all[(index + 1)...]
            // An option can have taken this one for its value.
            if !rest.isEmpty, words.suffix(rest.count) == rest { return Array(rest) }
        }
        return []
    }

    private var files: [String] { words.dropLast(command.count) }

    func validate() throws {
        let sources = [!files.isEmpty, !command.isEmpty, shell != nil].count { $0 }
        guard sources <= 1 else { throw ValidationError("Give task files, a command after --, or --shell: one of them.") }
        if id != nil, files.count > 1 { throw ValidationError("--id names one task, and \(files.count) files are given.") }
        if files.count(where: { $0 == "-" }) > 1 { throw ValidationError("Standard input can be read once.") }
        if let id, JobID(id) == nil {
            throw ValidationError("--id takes letters, digits, '.', '_', '-', at most \(JobID.longest), starting with a letter or digit.")
        }
        if sources == 0, task.stdinFile == "-" { throw ValidationError("Standard input can't be the task and its input.") }
        if sources == 0, isatty(0) == 1 {
            throw ValidationError("There is nothing to drop: give a file, a command after --, or JSON on standard input.")
        }
    }

    func run() throws {
        let path = try SpoolDirectory.resolve(spool.path)
        let tasks = try self.tasks(spool: path)
        let inbox = try self.inbox(spool: path)
        // Who may only drop can't look at the rest, and does without what is found there.
        let directory = try? SpoolDirectory(path)
        let waiter = wait ? try JobWaiter(spool: try SpoolDirectory(path)) : nil
        var names = GeneratedName()
        var ids: [JobID] = []
        for task in tasks {
            let id = try drop(task, into: inbox, spool: directory, names: &names)
            ids.append(id)
            if json { Output.write(JSONWriter.write(["id": .string(id.text), "file": .string("\(inbox.path)/\(id).json")], .line)) }
            else { Output.print(id.text) }
        }
        let daemon = DaemonProbe(spool: path)
        if daemon.state == .stopped {
            Terminal.complain(
                "no daemon is running; \(ids.count == 1 ? "the task" : "the tasks") will be taken in when one is (\(DaemonProbe.advice))")
        }
        guard let waiter else { return }
        try waiter.wait(for: ids, printing: json ? .json : .words)
    }

    /// The tasks, all of them checked before any is dropped.
    private func tasks(spool path: String) throws -> [TaskText] {
        var fields = try task.fields()
        if let queue = task.queue, !Self.isInbox(path, queue) { fields["queue"] = .string(queue) }
        guard command.isEmpty, shell == nil else {
            var object = JSONObject()
            object["run"] = shell.map(JSON.string) ?? .array(command.map(JSON.string))
            for member in fields.members { object[member.name] = member.value }
            if task.cwd == nil, !task.ownDirectory { object["cwd"] = .string(try TaskArguments.currentDirectory()) }
            return [try TaskText(object)]
        }
        return try (files.isEmpty ? ["-"] : files).map { origin in
            var text = try TaskText(try TaskText.read(origin), from: origin)
            // A parent that the environment names does not take the place of one that the text names.
            var fields = fields
            if task.parent == nil, text.object["parent"] != nil { fields["parent"] = nil }
            try text.set(fields)
            return text
        }
    }

    private static func isInbox(_ spool: String, _ queue: String) -> Bool {
        guard QueueName.check(queue) != nil else { return false }
        var status = stat()
        return lstat("\(spool)/\(SpoolLayout.inbox)/\(queue)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private func inbox(spool path: String) throws -> InboxWriter {
        let inbox = path + "/" + SpoolLayout.inbox
        guard let queue = task.queue, Self.isInbox(path, queue) else { return try InboxWriter(inbox) }
        return try InboxWriter(inbox + "/" + queue)
    }

    private func drop(
        _ task: TaskText, into inbox: InboxWriter, spool: SpoolDirectory?, names: inout GeneratedName
    ) throws -> JobID {
        if let id {
            let id = JobID(id)!
            guard try !isUsed(id, spool), try inbox.drop(task.bytes, as: id.text + ".json") else {
                throw CommandFault("the id \(id) is taken; choose another, or leave --id out", .cannotCreate)
            }
            return id
        }
        let fileName = task.origin.split(separator: "/").last.map(String.init) ?? task.origin
        if !files.isEmpty, fileName.hasSuffix(".json") {
            if let id = JobID(String(fileName.dropLast(5))), try !isUsed(id, spool), try inbox.drop(task.bytes, as: fileName) {
                return id
            }
            while true {
                let id = JobID.derived(from: fileName, suffix: names.next())
                if try inbox.drop(task.bytes, as: id.text + ".json") { return id }
            }
        }
        while true {
            let name = names.next()
            if let id = JobID(name), try inbox.drop(task.bytes, as: name + ".json") { return id }
        }
    }

    private func isUsed(_ id: JobID, _ spool: SpoolDirectory?) throws -> Bool {
        guard let spool else { return false }
        // What was rejected under this name has no claim to it.
        let place = try spool.place(of: id)
        return place != nil && place != .rejected
    }
}
