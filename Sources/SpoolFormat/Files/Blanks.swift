import CLinux
import Glibc

/// Empty files and directories that were made while nothing happened, to be renamed to where they are wanted: a file
/// system takes several times as long to make one as to rename it, and who waits for a job should not wait for that.
///
/// They lie in a directory of their own. Where there are none left, or they are gone, what is wanted is made on the spot:
/// nothing depends on them but time. One user has one stock; two never take the same.
public final class Blanks {
    /// `nil` where there is none, or where what was made in it could not be put elsewhere: then there is no stock.
    private var directory: Directory?
    private let prefix: String
    private let wanted: (files: Int, directories: Int)
    private var files: [(name: String, descriptor: Int32)] = []
    private var directories: [String] = []
    private var made = 0
    /// Something was taken since it was last filled.
    public private(set) var wantsFilling: Bool

    /// An empty stock.
    /// - Parameters:
    ///   - prefix: what the names of this stock begin with, and those of no other.
    ///   - wantsFilling: it is worth while to fill it before anything was taken.
    public init(in directory: Directory?, prefix: String, files: Int, directories: Int, wantsFilling: Bool = false) {
        self.directory = directory
        self.prefix = prefix
        self.wantsFilling = wantsFilling
        wanted = (files, directories)
    }

    deinit { discard() }

    /// Makes what is missing. What can't be made now is not missed: whoever needs it makes it, and says what is wrong.
    public func fill() {
        wantsFilling = false
        guard let directory else { return }
        while files.count < wanted.files {
            let name = nextName()
            let file = name.withCString { rouse_openat(directory.descriptor, $0, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600) }
            guard file >= 0 else { return }
            files.append((name, file))
        }
        while directories.count < wanted.directories {
            let name = nextName()
            guard (try? directory.makeDirectory(name)) != nil else { return }
            directories.append(name)
        }
    }

    /// Makes the directory `name`, which must not exist.
    public func makeDirectory(_ name: some FileName, in target: Directory) throws(SystemFault) {
        wantsFilling = true
        if let directory, let blank = directories.popLast() {
            do throws(SystemFault) { return try directory.rename(blank, to: target, as: name) } catch {
                directories.append(blank)
                if error.errno == EEXIST { throw error }
                handle(error)
            }
        }
        try target.makeDirectory(name)
    }

    /// Writes a new file, or in the place of an old one.
    public func write(_ bytes: [UInt8], to name: some FileName, in target: Directory) throws(SystemFault) {
        if let file = take(to: target, as: name, replacing: true, preparedBy: { writeAll(bytes, to: $0) }) {
            close(file)
        } else {
            try target.write(bytes, to: name)
        }
    }

    /// Puts a file from the stock where it is wanted, once `prepare` has been done to it.
    /// - Returns: its descriptor, open for reading and for writing at the end, and the caller's. `nil` where there is
    ///   none, or it can't be prepared or put there: the caller makes one, and sees why.
    public func take(
        to target: Directory, as name: some FileName, replacing: Bool = false, preparedBy prepare: (Int32) -> Bool
    ) -> Int32? {
        wantsFilling = true
        guard let directory, let blank = files.popLast() else { return nil }
        do throws(SystemFault) {
            if prepare(blank.descriptor) {
                try directory.rename(blank.name, to: target, as: name, replacing: replacing)
                return blank.descriptor
            }
        } catch { handle(error) }
        close(blank.descriptor)
        try? directory.removeFile(blank.name)
        return nil
    }

    /// Where nothing that is made here can be put elsewhere, as on a file system of its own, there is no stock.
    private func handle(_ fault: SystemFault) {
        guard [EXDEV, EPERM, EACCES, EROFS].contains(fault.errno) else { return }
        discard()
        directory = nil
    }

    /// The place may be another one than before, or be there again.
    public func reopen(in directory: Directory?) {
        discard()
        self.directory = directory
    }

    /// Removes what others have left who had a stock here, and are gone.
    public func discardLeftovers() {
        for entry in (try? directory?.entries()) ?? [] { try? directory?.removeTree(entry.name) }
    }

    /// Removes what is left.
    public func discard() {
        for file in files {
            close(file.descriptor)
            try? directory?.removeFile(file.name)
        }
        for name in directories { try? directory?.removeEmptyDirectory(name) }
        (files, directories) = ([], [])
    }

    private func nextName() -> String {
        made += 1
        return "\(prefix)-\(made)"
    }
}
