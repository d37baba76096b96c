import ArgumentParser
import Glibc
import SpoolFormat

/// Which spool a command works on.
struct SpoolOption: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("The spool's directory. (default: $ROUSE_SPOOL, or ./spool)", valueName: "dir"),
        completion: .directory)
    var spool: String?

    var path: String {
        if let spool { return spool }
        if let spool = Terminal.environment("ROUSE_SPOOL"), !spool.isEmpty { return spool }
        return "spool"
    }

    func open() throws -> SpoolDirectory { try SpoolDirectory(path) }
}

/// A spool that is there, opened by its absolute path.
struct SpoolDirectory {
    let path: String
    let root: Directory

    init(_ path: String) throws {
        self.path = try Self.resolve(path)
        root = try Directory(self.path)
    }

    /// The spool's absolute path. Who may only drop into it may not be able to list it.
    static func resolve(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else {
            if errno == EACCES { throw CommandFault("the spool \(path) can't be reached: permission denied", .noPermission) }
            throw CommandFault(
                "there is no spool at \(path): \(String(cString: strerror(errno))); make one with: rouse init \(path)",
                .missing)
        }
        defer { free(resolved) }
        let absolute = String(cString: resolved)
        guard access(absolute + "/" + SpoolLayout.inbox, F_OK) == 0 else {
            if errno == EACCES { throw CommandFault("the spool \(path) can't be searched: permission denied", .noPermission) }
            throw CommandFault("\(path) is no spool: it has no inbox/; make one with: rouse init DIR", .missing)
        }
        return absolute
    }

    /// The path of something within the spool.
    func path(_ parts: String...) -> String { ([path] + parts).joined(separator: "/") }

    /// The directory `name` of the spool, or `nil` where it is missing.
    func directory(_ name: String) throws -> Directory? {
        do { return try root.directory(name) } catch where error.isMissing { return nil }
    }
}
