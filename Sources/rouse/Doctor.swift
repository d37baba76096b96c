import CLinux
import Glibc
import JobIndex
import SpoolFormat

/// Looks at a spool and at the machine it is on.
struct Doctor {
    private let spool: SpoolDirectory

    init(_ spool: SpoolDirectory) { self.spool = spool }

    func findings() -> [Finding] {
        directories() + permissions() + fileSystem() + disk() + inotify() + openFiles() + daemon() + staging() + index()
            + ConfigurationCheck(spool: spool).findings() + [program("rouse-runner", "ROUSE_RUNNER"), program("rouse-agent", "ROUSE_AGENT")] + LibraryVersions.findings()
    }

    // MARK: The spool

    private func directories() -> [Finding] {
        let missing = SpoolLayout.directories.filter { name in
            ((try? spool.root.status(name)) ?? nil)?.kind != .directory
        }
        guard !missing.isEmpty else { return [.ok("spool", spool.path)] }
        return [.warn("spool", "\(missing.joined(separator: ", ")) missing in \(spool.path)", "rouse init \(spool.path) makes what is missing")]
    }

    private func permissions() -> [Finding] {
        guard let status = try? spool.root.status() else { return [] }
        var findings: [Finding] = []
        if status.uid != geteuid(), geteuid() != 0 {
            findings.append(.warn("owner", "the spool belongs to uid \(status.uid), and this is uid \(geteuid())", "run the daemon and rouse as the owner of the spool"))
        }
        let mode = "0" + String(status.mode, radix: 8)
        if status.mode & 0o022 != 0 {
            findings.append(.fail("mode", "\(spool.path) has mode \(mode): others can put anything there, and run programs as you", "chmod go-w \(spool.path)"))
        } else if status.mode & 0o077 != 0 {
            findings.append(.warn("mode", "\(spool.path) has mode \(mode): others can look in", "chmod 700 \(spool.path), unless others have a queue of their own"))
        } else {
            findings.append(.ok("mode", mode))
        }
        if let inbox = try? spool.root.directory(SpoolLayout.inbox), let status = try? inbox.status(), status.mode & 0o022 != 0 {
            findings.append(.fail("inbox", "inbox/ has mode 0\(String(status.mode, radix: 8)): others can run programs as you", "chmod go-w \(inbox.path), and give others inbox/<queue>/ with rules in config/queues/"))
        }
        for name in [SpoolLayout.inbox, SpoolLayout.staging, SpoolLayout.daemon] + JobState.allCases.map(\.rawValue)
        where faccessat(spool.root.descriptor, name, R_OK | W_OK | X_OK, 0) != 0 && errno != ENOENT {
            findings.append(.fail("access", "no permission for \(name)/", "run as the owner, or give this user rights to \(spool.path(name))"))
        }
        return findings
    }

    private func staging() -> [Finding] {
        guard let staging = try? spool.directory(SpoolLayout.staging), let all = try? staging.entries() else { return [] }
        // What begins with a dot is somebody's who is not done, or `.gitkeep`.
        let entries = all.filter { !$0.name.hasPrefix(".") }
        guard !entries.isEmpty else { return [.ok("staging", "empty")] }
        if DaemonProbe(spool: spool.path).isRunning { return [.ok("staging", "\(entries.count) being taken in")] }
        return [.warn("staging", "\(entries.count) left over in .staging/", "nothing is lost: the next daemon brings it in or rejects it")]
    }

    private func index() -> [Finding] {
        do throws(IndexFault) {
            let reader = try JobReader(path: spool.path(SpoolLayout.index))
            let count = (try? reader.counts())?.reduce(0) { $0 + $1.count }
            guard let count else { return [.fail("index", "index.sqlite can't be read", "stop the daemon, then: rouse reindex")] }
            return [.ok("index", "\(count) jobs")]
        } catch {
            if case .missing = error { return [.ok("index", "none yet; a daemon makes it")] }
            return [.fail("index", error.description, "stop the daemon, then: rouse reindex")]
        }
    }

    // MARK: The daemon

    private func daemon() -> [Finding] {
        let probe = DaemonProbe(spool: spool.path)
        var findings: [Finding] = []
        switch probe.state {
        case .running: findings.append(.ok("daemon", "running" + (probe.pid.map { ", pid \($0)" } ?? "")))
        case .unknown: findings.append(.warn("daemon", "daemon/lock can't be read", "run as the owner of the spool"))
        case .stopped:
            findings.append(.warn("daemon", "not running", DaemonProbe.advice))
            if probe.status != nil {
                findings.append(.ok("lock", "daemon.json is left from a daemon that is gone; the lock is free, so it does no harm"))
            }
        }
        if probe.isRunning, let fault = probe.status?["fault"]?.string {
            findings.append(.fail("fault", "the daemon can't go on: \(fault)", "mend what it says; it is tried again at least every 30 s, and nothing is lost (daemon/daemon.log has since when)"))
        }
        if spool.root.contains("\(SpoolLayout.daemon)/\(SpoolLayout.Daemon.pause)") {
            findings.append(.warn("paused", "daemon/PAUSE is there: nothing is started", "rm \(spool.path(SpoolLayout.daemon, SpoolLayout.Daemon.pause))"))
        }
        return findings
    }

    private func program(_ name: String, _ variable: String) -> Finding {
        let topic = String(name.dropFirst("rouse-".count))
        guard let path = try? Program.path(name, or: variable) else {
            return .warn(topic, "can't tell where rouse itself is", "/proc must be mounted")
        }
        if access(path, X_OK) == 0 { return .ok(topic, path) }
        return .fail(topic, "\(path) is \(errno == ENOENT ? "missing" : "not executable")", "install \(name) beside rouse, or say where it is by \(variable)")
    }

    // MARK: The machine

    private func fileSystem() -> [Finding] {
        var findings: [Finding] = []
        let type = FileSystemType(of: spool.root)
        for (name, directory) in [("", spool.root), (SpoolLayout.inbox, try? spool.root.directory(SpoolLayout.inbox))] {
            guard let directory else { continue }
            let own = FileSystemType(of: directory)
            if !name.isEmpty, own == type { continue }
            let subject = name.isEmpty ? "file system" : "file system of \(name)/"
            if own.tellsOfChanges {
                findings.append(.ok(subject, own.name))
            } else {
                findings.append(.warn(subject, "\(own.name) does not tell of every change, so the inbox is polled", "put the spool on a local disk, for the speed"))
            }
        }
        let device = (try? spool.root.status())?.device
        for name in [SpoolLayout.inbox, SpoolLayout.rejected, SpoolLayout.staging] + JobState.allCases.map(\.rawValue) {
            guard let status = (try? spool.root.status(name)) ?? nil, status.kind == .directory, status.device != device else { continue }
            findings.append(.fail("file system", "\(name)/ is on another file system, and files can't be renamed across", "keep the whole spool on one file system"))
        }
        return findings
    }

    private func disk() -> [Finding] {
        guard let disk = DiskSpace(of: spool.root) else { return [] }
        let isShort = disk.freeBytes < 1 << 30 && disk.freeBytes < disk.totalBytes / 20
        let hasFewFiles = disk.totalFiles > 0 && disk.freeFiles < 10_000
        if disk.freeBytes < 16 << 20 || disk.totalFiles > 0 && disk.freeFiles < 100 {
            return [.fail("disk", disk.text, "make room; rouse prune forgets finished jobs")]
        }
        if isShort || hasFewFiles { return [.warn("disk", disk.text, "make room soon; rouse prune forgets finished jobs")] }
        return [.ok("disk", disk.text)]
    }

    private func inotify() -> [Finding] {
        func limit(_ name: String) -> Int? {
            let bytes = try? Directory("/proc/sys/fs/inotify").read(name)?.bytes
            // /proc says that its files are empty, so one byte at most was read.
            guard bytes != nil, let all = try? TaskText.read("/proc/sys/fs/inotify/\(name)") else { return nil }
            return Int(String(decoding: all.prefix { $0 != 0x0A }, as: UTF8.self))
        }
        guard let instances = limit("max_user_instances"), let watches = limit("max_user_watches") else {
            return [.warn("inotify", "this kernel has no inotify", "the inbox is polled; nothing is to be done")]
        }
        let used = InotifyUse()
        let queues = (try? spool.queueInboxes().count) ?? 0
        let text = "\(used.instances) of \(instances) instances, \(used.watches) of \(watches) watches in use by this user"
        let isRunning = DaemonProbe(spool: spool.path).isRunning
        if !isRunning, used.instances >= instances {
            return [.fail("inotify", text, "sysctl fs.inotify.max_user_instances=\(instances * 2)")]
        }
        if !isRunning, used.watches + 20 + queues > watches {
            return [.fail("inotify", text, "sysctl fs.inotify.max_user_watches=\(max(8192, watches * 2))")]
        }
        if used.instances * 10 > instances * 9 { return [.warn("inotify", text, "sysctl fs.inotify.max_user_instances=\(instances * 2)")] }
        let queue = limit("max_queued_events").map { ", \($0) events may wait" } ?? ""
        return [.ok("inotify", text + queue)]
    }

    private func openFiles() -> [Finding] {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return [] }
        let soft = limit.rlim_cur
        let hard = limit.rlim_max
        let text = soft == rlim_t.max ? "no limit" : "\(soft)" + (hard > soft ? " (up to \(hard == rlim_t.max ? "any number" : "\(hard)"))" : "")
        if hard < 1024 { return [.warn("open files", text, "raise it to 1024 or more (ulimit -n, LimitNOFILE=)")] }
        return [.ok("open files", text)]
    }
}

/// What inotify has in use, as far as this user can see.
struct InotifyUse {
    private(set) var instances = 0
    private(set) var watches = 0

    init() {
        guard let processes = try? Directory("/proc"), let entries = try? processes.entries() else { return }
        let uid = geteuid()
        for entry in entries {
            let pid = entry.name.display
            guard Int(pid) != nil, (try? processes.status(pid))??.uid == uid else { continue }
            guard let files = try? Directory("/proc/\(pid)/fd"), let names = try? files.entries() else { continue }
            for name in names {
                var target = [CChar](repeating: 0, count: 64)
                let number = name.name.display
                guard readlinkat(files.descriptor, number, &target, 63) > 0,
                    target.withUnsafeBufferPointer({ strcmp($0.baseAddress!, "anon_inode:inotify") == 0 })
                else { continue }
                instances += 1
                guard let info = try? TaskText.read("/proc/\(pid)/fdinfo/\(number)") else { continue }
                watches += info.split(separator: 0x0A).count { $0.starts(with: "inotify wd:".utf8) }
            }
        }
    }
}

/// A kind of file system, by the number that statfs(2) gives.
struct FileSystemType: Equatable {
    private let number: Int64

    init(of directory: Directory) { number = rouse_fs_type(directory.descriptor) }

    var name: String { Self.names[number]?.name ?? "type 0x" + String(number, radix: 16) }

    /// Whether inotify sees every change: not where other machines or programs change files behind the kernel's back.
    var tellsOfChanges: Bool { Self.names[number]?.tells ?? true }

    private static let names: [Int64: (name: String, tells: Bool)] = [
        0xEF53: ("ext4", true), 0x5846_5342: ("XFS", true), 0x9123_683E: ("Btrfs", true), 0x2FC1_2FC1: ("ZFS", true),
        0xF2F5_2010: ("F2FS", true), 0x0102_1994: ("tmpfs", true), 0x8584_58F6: ("ramfs", true),
        0x794C_7630: ("overlay", true), 0xCA45_1A4E: ("bcachefs", true),
        0x6969: ("NFS", false), 0x517B: ("SMB", false), 0xFF53_4D42: ("CIFS", false), 0xFE53_4D42: ("SMB2", false),
        0x0102_1997: ("9p", false), 0x6573_5546: ("FUSE", false), 0x5346_414F: ("AFS", false), 0x00C3_6400: ("Ceph", false),
        0x0BD0_0BD0: ("Lustre", false), 0x7375_7245: ("Coda", false), 0x4750_4653: ("GPFS", false),
        0x786F_4256: ("vboxsf", false), 0xBACB_ACBC: ("vmhgfs", false),
    ]
}

/// Which libraries this program was loaded with.
enum LibraryVersions {
    static func findings() -> [Finding] {
        guard let maps = try? TaskText.read(descriptor: openMaps(), name: "/proc/self/maps", limit: 4 << 20) else { return [] }
        let paths = Set(maps.split(separator: 0x0A).compactMap { line in
            line.firstIndex(of: UInt8(ascii: "/")).map { String(decoding: line[$0...], as: UTF8.self) }
        })
        func path(_ stem: String) -> String? { paths.first { $0.split(separator: "/").last?.hasPrefix(stem) == true } }
        let inotify = path("libinotifytools.so").map { resolved($0) }
        let version = sqliteVersion()
        return [
            .ok("libinotifytools", inotify ?? "linked into rouse"),
            .ok("SQLite", (version ?? "unknown version") + (path("libsqlite3.so").map { ", \(resolved($0))" } ?? ", linked into rouse")),
        ]
    }

    private static func openMaps() -> Int32 { rouse_open("/proc/self/maps", O_RDONLY | O_CLOEXEC, 0) }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func sqliteVersion() -> String? {
        guard let handle = dlopen(nil, RTLD_NOW), let symbol = dlsym(handle, "sqlite3_libversion") else { return nil }
        typealias Version = @convention(c) () -> UnsafePointer<CChar>?
        return unsafeBitCast(symbol, to: Version.self)().map { String(cString: $0) }
    }
}
