import ArgumentParser
import Glibc
import JobIndex
import SpoolFormat

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show whether a daemon is running, and how much there is to do.")

    @OptionGroup var spool: SpoolOption

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let spool = try spool.open()
        let status = try SpoolStatus(spool)
        if json { Output.print(status.json) } else { Output.print(status.text) }
    }
}

/// The state of a spool at one moment.
struct SpoolStatus {
    private let spool: SpoolDirectory
    private let daemon: DaemonProbe
    private let counts: [JobCount]
    private let held: Int
    private let backlog: Int
    private let rejected: Int
    private let isPaused: Bool
    private let disk: DiskSpace?

    init(_ spool: SpoolDirectory) throws {
        self.spool = spool
        daemon = DaemonProbe(spool: spool.path)
        let source = JobSource(spool)
        counts = try source.counts()
        held = try source.list(JobFilter(states: [.waiting])).count { $0.reason == .hold }
        backlog = try spool.backlog()
        rejected = try spool.directory(SpoolLayout.rejected)?.entries().count { !$0.name.hasSuffix(".error.json") && !$0.name.hasPrefix(".") } ?? 0
        isPaused = spool.isPaused
        disk = DiskSpace(of: spool.root)
    }

    private func count(_ state: JobState, queue: String? = nil) -> Int {
        counts.filter { $0.state == state && (queue == nil || $0.queue == queue) }.reduce(0) { $0 + $1.count }
    }

    private var queues: [String] {
        let known = Set(counts.filter { $0.count > 0 }.map(\.queue))
        return known.sorted { left, right in
            if left == Defaults.queue || right == Defaults.queue { return left == Defaults.queue && right != left }
            return left < right
        }
    }

    var json: JSON {
        var object: JSONObject = ["spool": .string(spool.path)]
        var about: JSONObject = ["running": daemon.state == .unknown ? .null : .bool(daemon.isRunning)]
        if daemon.isRunning {
            for member in daemon.status?.object?.members ?? [] where member.name != "running" { about[member.name] = member.value }
        }
        object["daemon"] = .object(about)
        object["paused"] = .bool(isPaused)
        object["jobs"] = .object(states(queue: nil))
        object["held"] = .number(held)
        object["inbox"] = .number(backlog)
        object["rejected"] = .number(rejected)
        var queues = JSONObject()
        for queue in self.queues { queues[queue] = .object(states(queue: queue)) }
        object["queues"] = .object(queues)
        object["disk"] = disk?.json
        return .object(object)
    }

    private func states(queue: String?) -> JSONObject {
        var object = JSONObject()
        for state in JobState.allCases { object[state.rawValue] = .number(count(state, queue: queue)) }
        return object
    }

    var text: String {
        var lines = ["spool    \(spool.path)", "daemon   \(daemonText)"]
        if isPaused { lines.append("paused   " + Terminal.coloured("nothing is started; rm \(spool.path)/daemon/PAUSE", .yellow)) }
        if daemon.isRunning, let fault = daemon.status?["fault"]?.string {
            lines.append("fault    " + Terminal.coloured(Terminal.plain(fault), .red) + "; it is tried again")
        }
        if backlog > 0 { lines.append("inbox    \(backlog) not yet taken in") }
        if held > 0 { lines.append("held     \(held)") }
        if rejected > 0 { lines.append("rejected \(rejected)") }
        if let disk { lines.append("disk     \(disk.text)") }
        lines.append("")
        guard !queues.isEmpty else { return (lines + ["no jobs"]).joined(separator: "\n") }
        var table = Table(["QUEUE"] + JobState.allCases.map { $0.rawValue.uppercased() })
        for queue in queues {
            table.add([Table.Cell(queue)] + JobState.allCases.map { Table.Cell(String(count($0, queue: queue))) })
        }
        if queues.count > 1 { table.add([Table.Cell("all")] + JobState.allCases.map { Table.Cell(String(count($0))) }) }
        return (lines + [table.text]).joined(separator: "\n")
    }

    private var daemonText: String {
        switch daemon.state {
        case .stopped: return Terminal.coloured("not running", .yellow) + "; \(DaemonProbe.advice)"
        case .unknown: return "can't be told: the lock can't be read"
        case .running:
            var text = Terminal.coloured("running", .green)
            if let pid = daemon.pid { text += ", pid \(pid)" }
            if let since = (daemon.status?["started_at"] ?? daemon.status?["since"])?.string.flatMap(Timestamp.init) {
                text += ", for \(Moment.age(of: since, at: .now))"
            }
            if let version = daemon.status?["version"]?.string { text += ", version \(Terminal.plain(version))" }
            return text
        }
    }
}

/// Room on the file system of a directory.
struct DiskSpace {
    let freeBytes: Int64
    let totalBytes: Int64
    let freeFiles: Int64
    /// 0 on file systems that make inodes as they need them.
    let totalFiles: Int64

    init?(of directory: Directory) {
        var status = statvfs()
        guard fstatvfs(directory.descriptor, &status) == 0 else { return nil }
        freeBytes = Int64(clamping: status.f_bavail) * Int64(clamping: status.f_frsize)
        totalBytes = Int64(clamping: status.f_blocks) * Int64(clamping: status.f_frsize)
        freeFiles = Int64(clamping: status.f_favail)
        totalFiles = Int64(clamping: status.f_files)
    }

    var json: JSON {
        [
            "free_bytes": .int(freeBytes), "total_bytes": .int(totalBytes), "free_inodes": .int(freeFiles),
            "total_inodes": .int(totalFiles),
        ]
    }

    var text: String {
        "\(Size.text(freeBytes)) of \(Size.text(totalBytes)) free" + (totalFiles > 0 ? ", \(freeFiles) of \(totalFiles) inodes" : "")
    }
}
