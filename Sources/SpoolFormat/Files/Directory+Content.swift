import CLinux
import Glibc

extension Directory {
    /// The content of the regular file `name`, and what the file was when it was read. `nil` where there is none.
    ///
    /// The file is opened without following a link and without waiting for a FIFO's writer. At most `limit` bytes
    /// are read, whatever the file's size says: one more byte than `limit` is the sign of a file that is too large.
    public func read(_ name: some FileName, limit: Int = 16 << 20) throws(SystemFault) -> (bytes: [UInt8], status: FileStatus)? {
        guard let (file, status) = try open(name) else { return nil }
        defer { close(file) }
        guard status.kind == .file else { return ([], status) }
        guard let bytes = Self.read(file, sizeHint: Int(clamping: status.size), limit: limit) else { throw fault("read", name) }
        return (bytes, status)
    }

    /// The end of the regular file `name`, at most `limit` bytes of it. `nil` where there is none.
    public func readEnd(of name: some FileName, limit: Int) throws(SystemFault) -> [UInt8]? {
        guard let (file, status) = try open(name) else { return nil }
        defer { close(file) }
        guard status.kind == .file else { return [] }
        lseek(file, max(0, off_t(status.size) - off_t(limit)), SEEK_SET)
        guard let bytes = Self.read(file, sizeHint: Int(clamping: status.size), limit: limit) else { throw fault("read", name) }
        return bytes.count > limit ? bytes.suffix(limit) : bytes
    }

    /// The caller's descriptor of `name`, to be read, and what it is of.
    private func open(_ name: some FileName) throws(SystemFault) -> (file: Int32, status: FileStatus)? {
        let file = name.withCString { rouse_openat(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0) }
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw fault("open", name)
        }
        var raw = stat()
        guard fstat(file, &raw) == 0 else {
            let fault = fault("look at", name)
            close(file)
            throw fault
        }
        return (file, FileStatus(raw))
    }

    /// Reads to the end, or one byte more than `limit`. The size is a hint only: a file may grow, and in `/proc` it is 0.
    /// Where it is not, a read that gives less than there is room for has met the end.
    private static func read(_ file: Int32, sizeHint: Int, limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var room = min(max(sizeHint, 255), limit) + 1
        while true {
            let start = bytes.count
            var failure: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                while count < room {
                    let asked = room - count
                    let got = Glibc.read(file, buffer.baseAddress! + count, asked)
                    if got < 0, errno == EINTR { continue }
                    if got < 0 { failure = errno }
                    if got <= 0 { return }
                    count += got
                    if got < asked, sizeHint > 0 { return }
                }
            }
            guard failure == 0 else {
                errno = failure
                return nil
            }
            if start == 0 { bytes = chunk } else { bytes += chunk }
            if chunk.count < room || bytes.count > limit { return bytes }
            room = min(max(bytes.count, 4096), limit + 1 - bytes.count)
        }
    }

    /// Writes a new file that nobody looks for yet; the rename of its directory is what publishes it.
    public func write(_ bytes: [UInt8], to name: some FileName, mode: UInt32 = 0o600) throws(SystemFault) {
        try write(bytes, to: name, flags: O_CREAT | O_TRUNC, mode: mode, synchronizing: false)
    }

    /// Replaces `name` in one step: readers see the old content or the new, never a part.
    /// With `synchronizing`, content and name are on disk when this returns.
    public func replace(
        _ name: String, with bytes: [UInt8], mode: UInt32 = 0o600, synchronizing: Bool = false
    ) throws(SystemFault) {
        let temporary = "." + name + ".tmp"
        do {
            try write(bytes, to: temporary, flags: O_CREAT | O_TRUNC, mode: mode, synchronizing: synchronizing)
            try rename(temporary, to: self, as: name, replacing: true)
        } catch {
            try? removeFile(temporary)
            throw error
        }
        if synchronizing { try synchronize() }
    }

    /// Flushes the content of `name` to disk.
    public func synchronize(_ name: some FileName) throws(SystemFault) {
        let file = name.withCString { rouse_openat(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0) }
        guard file >= 0 else { throw fault("open", name) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw fault("sync", name) }
    }

    private func write(
        _ bytes: [UInt8], to name: some FileName, flags: Int32, mode: UInt32, synchronizing: Bool
    ) throws(SystemFault) {
        let file = name.withCString {
            rouse_openat(descriptor, $0, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, mode)
        }
        guard file >= 0 else { throw fault("write", name) }
        defer { close(file) }
        guard writeAll(bytes, to: file) else { throw fault("write", name) }
        if synchronizing, fdatasync(file) != 0 { throw fault("sync", name) }
    }
}

/// Writes all of `bytes`; `false`, with `errno` set, where that is not possible.
public func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var done = 0
        while done < buffer.count {
            let written = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
            if written < 0 {
                if errno == EINTR { continue }
                return false
            }
            done += written
        }
        return true
    }
}
