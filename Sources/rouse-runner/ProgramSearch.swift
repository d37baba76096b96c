import CLinux
import Glibc

/// Finds a program as a shell would: a name with a slash is a path, any other name is looked for in the `PATH`. Both
/// count from the program's working directory.
struct ProgramSearch {
    private let path: String
    private let place: WorkingDirectory

    init(_ path: String, from place: WorkingDirectory) {
        self.path = path
        self.place = place
    }

    /// - Returns: a path to start it by, in its working directory.
    func find(_ name: String) throws(Unstartable) -> String {
        guard !name.isEmpty else { throw Unstartable("cannot start a program without a name") }
        if name.utf8.contains(UInt8(ascii: "/")) {
            if let failure = check(name) { throw Self.fault(failure, name, at: name) }
            return name
        }
        var refused: (path: String, errno: Int32)?
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = directory.isEmpty ? "./" + name : directory + "/" + name
            guard let failure = check(candidate) else { return candidate }
            if failure == EACCES, refused == nil { refused = (candidate, failure) }
        }
        if let refused { throw Self.fault(refused.errno, name, at: refused.path) }
        throw Unstartable(
            "cannot start \(name): there is no such program in the PATH of the job's environment; set PATH by the \"env\" of the task, of its queue "
                + "(config/queues/) or of its agent, or give the program's whole path")
    }

    private func check(_ candidate: String) -> Int32? {
        var status = stat()
        guard fstatat(place.descriptor, candidate, &status, 0) == 0 else { return errno }
        guard status.st_mode & S_IFMT == S_IFREG else { return EISDIR }
        return faccessat(place.descriptor, candidate, X_OK, 0) == 0 ? nil : errno
    }

    /// What a failure to find or to start `name` means.
    static func fault(_ code: Int32, _ name: String, at path: String) -> Unstartable {
        let start = name == path ? "cannot start \(name)" : "cannot start \(name) (\(path))"
        switch code {
        case ENOENT where access(path, F_OK) == 0:
            return Unstartable("\(start): the interpreter that its first line or header names does not exist")
        case ENOENT: return Unstartable("\(start): there is no such file")
        case EACCES: return Unstartable("\(start): it is not executable for this user")
        case EISDIR: return Unstartable("\(start): it is not a regular file")
        case ENOEXEC: return Unstartable("\(start): it is not a program; a script needs a first line such as #!/bin/sh")
        case E2BIG: return Unstartable("\(start): arguments and environment are too long; give long text by stdin or a file")
        default: return Unstartable(start, errno: code)
        }
    }
}
