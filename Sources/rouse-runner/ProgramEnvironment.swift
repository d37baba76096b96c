import CLinux
import Glibc
import JobRunner
import Processes
import SpoolFormat

/// The program's environment: the runner's own, what the task adds, and what tells the program which job it is.
struct ProgramEnvironment {
    let strings: CStrings
    /// `PATH` as the program will see it.
    let searchPath: String

    /// Longer than any token or key; a file that is longer is not what was meant.
    private static let longestFile = 128 << 10

    init(of record: RunRecord) throws(Unstartable) {
        var added = ["PWD": WorkingDirectory.path(of: record)]
        for (name, value) in record.environment {
            switch value {
            case .text(let text): added[name] = text
            case .file(let path): added[name] = try Self.content(of: path, for: name)
            }
        }
        let job = WorkingDirectory.jobPath(of: record)
        added[JobVariables.spool] = record.spool
        added[JobVariables.inbox] = record.spool + "/" + SpoolLayout.inbox
        added[JobVariables.id] = record.id.text
        added[JobVariables.directory] = job
        added[JobVariables.attempt] = String(record.attempt)
        added[JobVariables.result] = job + "/" + SpoolLayout.Job.output
        strings = CStrings.ownEnvironment { added[$0] != nil || $0 == JobVariables.session }
        for (name, value) in added { strings.append(name + "=" + value) }
        // Without a PATH a shell would search these.
        searchPath = added["PATH"] ?? getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    }

    /// A secret's file, without the line feed that an editor leaves at its end. The value goes into the environment
    /// of the program and nowhere else; a fault tells the file and not what is in it.
    private static func content(of path: String, for name: String) throws(Unstartable) -> String {
        let what = "cannot read \(path) for the environment variable \(name)"
        let file = rouse_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0)
        guard file >= 0 else { throw Unstartable(what, errno: errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        let failure = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer -> Int32 in
            while bytes.count <= longestFile {
                let count = read(file, buffer.baseAddress!, buffer.count)
                if count == 0 { return 0 }
                if count < 0, errno != EINTR { return errno }
                bytes.append(contentsOf: buffer.prefix(max(count, 0)))
            }
            return EFBIG
        }
        guard failure == 0 else { throw Unstartable(what, errno: failure) }
        if bytes.last == 0x0A { bytes.removeLast() }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw Unstartable("\(what): it is not text in UTF-8")
        }
        return text
    }
}
