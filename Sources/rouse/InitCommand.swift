import ArgumentParser
import CLinux
import Glibc
import SpoolFormat

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a spool.",
        discussion: """
            Makes the directory with mode 0700, all that belongs into it, and a README.md. What is there already stays \
            as it is. A directory that holds something else is refused.

            Who can write to the inbox can run programs as the user of the daemon. To let others drop tasks, give them \
            a queue of their own and say in its configuration what it accepts.
            """)

    @Argument(help: ArgumentHelp("The directory. (default: $ROUSE_SPOOL, or ./spool)", valueName: "dir"), completion: .directory)
    var directory: String?

    @Option(name: .customLong("spool"), help: .hidden, completion: .directory)
    var spool: String?

    @Flag(name: .shortAndLong, help: "Say nothing when all is well.")
    var quiet = false

    func validate() throws {
        if directory != nil, spool != nil { throw ValidationError("Give the directory once.") }
    }

    func run() throws {
        var option = SpoolOption()
        option.spool = directory ?? spool
        let path = option.path
        let isNew = try makeRoot(path)
        let root = try Directory(path)
        if !isNew, !root.contains(SpoolLayout.inbox), let stranger = try Self.stranger(in: root) {
            throw CommandFault("\(path) is no spool and not empty: it holds \(stranger)", .cannotCreate)
        }
        var made = 0
        for name in SpoolLayout.directories { made += try Self.make(name, in: root) ? 1 : 0 }
        if !root.contains(SpoolLayout.readme) {
            try root.replace(SpoolLayout.readme, with: Array(SpoolReadme.text.utf8))
            made += 1
        }
        try root.synchronize()
        try report(path, root, isNew: isNew, made: made)
    }

    /// - Returns: whether there was none.
    private func makeRoot(_ path: String) throws -> Bool {
        var made = ""
        var isNew = false
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        if path.hasPrefix("/") { made = "/" }
        for (index, part) in parts.enumerated() {
            made += (made.isEmpty || made == "/" ? "" : "/") + part
            // Only the spool itself is private; the directories on the way to it are as anybody makes them.
            let isLast = index == parts.count - 1
            if mkdir(made, isLast ? 0o700 : 0o777) == 0 {
                isNew = isLast
                if isLast { chmod(made, 0o700) }
            } else if errno != EEXIST {
                // A file system may say so of what is there and may not be written.
                let code = errno
                var status = stat()
                guard stat(made, &status) == 0 else {
                    let fault = SystemFault("make the directory", made, errno: code)
                    throw CommandFault(fault.description, code == EACCES || code == EPERM ? .noPermission : .cannotCreate)
                }
            }
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemFault("look at", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw CommandFault("\(path) is there, and is not a directory", .cannotCreate)
        }
        return isNew
    }

    /// Something in the directory that a new spool would not hold.
    private static func stranger(in root: Directory) throws -> String? {
        // A spool kept in version control, or one that is being made by another, has some of these.
        let known = Set(SpoolLayout.directories.filter { !$0.contains("/") } + [SpoolLayout.readme, ".gitignore", ".gitkeep", "lost+found"])
        return try root.entries().map(\.name.display).sorted().first { !known.contains($0) }
    }

    private static func make(_ name: String, in root: Directory) throws -> Bool {
        if mkdirat(root.descriptor, name, 0o700) == 0 { return true }
        guard errno == EEXIST else { throw SystemFault("make the directory", root.path + "/" + name) }
        guard try root.status(name)?.kind == .directory else {
            throw CommandFault("\(root.path)/\(name) is there, and is not a directory", .cannotCreate)
        }
        return false
    }

    private func report(_ path: String, _ root: Directory, isNew: Bool, made: Int) throws {
        if !quiet {
            if isNew { Output.print("made a spool in \(path)") }
            else if made > 0 { Output.print("\(path) is a spool; \(made) missing \(made == 1 ? "entry was" : "entries were") made") }
            else { Output.print("\(path) is a spool already; nothing was changed") }
        }
        for name in ["", SpoolLayout.inbox] {
            let directory = name.isEmpty ? root : try root.directory(name)
            let mode = try directory.status().mode
            let others = mode & 0o077
            guard others != 0 else { continue }
            let text = "0" + String(mode, radix: 8)
            Terminal.complain(
                others & 0o022 != 0
                    ? "\(directory.path) has mode \(text): others can write there, and so run programs as you; chmod go-w \(directory.path)"
                    : "\(directory.path) has mode \(text): others can look in; chmod 700 \(directory.path) if they should not")
        }
    }
}
