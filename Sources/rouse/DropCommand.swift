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

            Where a daemon runs, it is waited for until it has taken the task in, at most for 2 s ($ROUSE_PATIENCE). A \
            task that it rejects has no id; why is told, and the exit code is 65. So is why a verb such as cancel has failed.
            """)

    @OptionGroup var spool: SpoolOption

    @OptionGroup var name: JobIDOption

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
        if name.id != nil, files.count > 1 { throw ValidationError("--id names one task, and \(files.count) files are given.") }
        if files.count(where: { $0 == "-" }) > 1 { throw ValidationError("Standard input can be read once.") }
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
        let receipts = Receipts(spool: path, waiter: waiter, json: json)
        var names = GeneratedName()
        var failure: (any Error)?
        for task in tasks {
            do { receipts.add(try drop(task, into: inbox, spool: directory, names: &names)) } catch {
                failure = error
                break
            }
        }
        if let failure {
            receipts.settle()
            throw failure
        }
        guard let waiter else { return try receipts.conclude() }
        receipts.settle()
        receipts.remarkOnDaemon()
        try waiter.wait(for: receipts, printing: json ? .json : .words)
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
    ) throws -> DroppedFile {
        if let id = try name.free(in: spool) {
            guard let file = try inbox.drop(task, as: id) else { throw JobIDOption.taken(id) }
            return file
        }
        let fileName = task.origin.split(separator: "/").last.map(String.init) ?? task.origin
        if !files.isEmpty, fileName.hasSuffix(".json") {
            if let id = JobID(String(fileName.dropLast(5))), try spool?.isUsed(id) != true, let file = try inbox.drop(task, as: id) {
                return file
            }
            while true {
                let id = JobID.derived(from: fileName, suffix: names.next())
                if let file = try inbox.drop(task, as: id) { return file }
            }
        }
        while true {
            if let id = JobID(names.next()), let file = try inbox.drop(task, as: id) { return file }
        }
    }
}

extension JobWaiter {
    /// Waits until what was dropped is finished, and exits as the first did, in that order, that did not succeed.
    func wait(for receipts: Receipts, printing form: Form) throws {
        receipts.settleAll()
        let jobs = receipts.jobs
        let known = jobs.compactMap { job in job.ending.map { (job.id, $0) } }
        try wait(for: jobs.map(\.id), known: Dictionary(known) { $1 }, printing: form)
    }
}
