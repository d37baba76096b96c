import Glibc
import SpoolFormat

/// Why a file of configuration is not put in force.
struct Refusal: Error {
    var record: RejectionRecord
    /// It may be a part of what somebody is writing.
    var mayBeUnfinished = false

    init(_ record: RejectionRecord, mayBeUnfinished: Bool = false) {
        self.record = record
        self.mayBeUnfinished = mayBeUnfinished
    }

    init(_ code: String, _ message: String, _ file: String, hint: String? = nil) {
        record = RejectionRecord(code: code, message: message, file: file, hint: hint)
    }

    func named(_ file: String) -> Refusal {
        var own = self
        own.record.file = file
        return own
    }
}

/// Files that nobody but the daemon's user and root can have written. Who can write configuration, or put it there, can
/// run programs as the daemon's user.
enum TrustedFile {
    /// Why nothing in the directory is to be trusted; `nil` where it is.
    static func distrust(_ directory: Directory, _ name: String) throws -> Refusal? {
        let status = try directory.status()
        guard status.uid == geteuid() || status.uid == 0 else {
            return Refusal("wrong_owner", "\(name) belongs to user \(status.uid), not to the daemon's user \(geteuid())", name)
        }
        guard status.mode & 0o022 == 0 else {
            return Refusal(
                "writable_by_others", "others can write in \(name) (mode \(String(status.mode, radix: 8)))", name,
                hint: "chmod go-w \(directory.path)")
        }
        return nil
    }

    /// The content of `file`.
    /// - Throws: `Refusal`.
    static func read(_ file: String, _ status: FileStatus, in directory: Directory) throws -> [UInt8] {
        guard status.kind == .file else { throw Refusal("not_a_file", "it is \(status.kind.words), not a regular file", file) }
        guard status.uid == geteuid() || status.uid == 0 else {
            throw Refusal("wrong_owner", "it belongs to user \(status.uid), not to the daemon's user \(geteuid())", file)
        }
        guard status.mode & 0o022 == 0 else {
            throw Refusal("writable_by_others", "others can write it (mode \(String(status.mode, radix: 8)))", file, hint: "chmod go-w \(directory.path)/\(file)")
        }
        let content: [UInt8]?
        do { content = try directory.read(file, limit: Defaults.taskBytes)?.bytes } catch { throw Refusal("unreadable", "\(error)", file) }
        guard let content else { throw Refusal("gone", "it is gone", file) }
        guard content.count <= Defaults.taskBytes else { throw Refusal("too_large", "it is larger than 1 MiB", file) }
        return content
    }
}
