import CLinux
import Glibc

extension Directory {
    public struct Entry: Sendable {
        public let name: EntryName
        /// `nil` where the file system does not say; `status` then does.
        public let kind: FileStatus.Kind?
    }

    /// Everything in the directory but `.` and `..`, in no order.
    public func entries() throws(SystemFault) -> [Entry] {
        var entries: [Entry] = []
        try forEachEntry { entries.append($0) }
        return entries
    }

    /// Names of the sub-directories that are legal job ids, in no order.
    public func jobIDs() throws(SystemFault) -> [JobID] {
        var ids: [JobID] = []
        try forEachEntry { entry in
            guard entry.kind == .directory || entry.kind == nil, let id = JobID(entry.name) else { return }
            ids.append(id)
        }
        return ids
    }

    public func isEmpty() throws(SystemFault) -> Bool { try entries().isEmpty }

    private func forEachEntry(_ body: (Entry) -> Void) throws(SystemFault) {
        // A descriptor of its own: the position of a shared one would be shared too.
        let own = rouse_openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard own >= 0 else { throw SystemFault("list", path) }
        guard let stream = fdopendir(own) else {
            close(own)
            throw SystemFault("list", path)
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw SystemFault("list", path) }
                return
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: 256) { bytes in
                    EntryName(UnsafeBufferPointer(start: bytes, count: strnlen(UnsafePointer(bytes.withCChars), 255)))
                }
            }
            if name.bytes == [0x2E] || name.bytes == [0x2E, 0x2E] { continue }
            body(Entry(name: name, kind: Self.kind(entry.pointee.d_type)))
        }
    }

    private static func kind(_ type: UInt8) -> FileStatus.Kind? {
        switch Int(type) {
        case Int(DT_REG): .file
        case Int(DT_DIR): .directory
        case Int(DT_LNK): .symbolicLink
        case Int(DT_FIFO): .fifo
        case Int(DT_SOCK): .socket
        case Int(DT_CHR), Int(DT_BLK): .device
        default: nil
        }
    }
}

extension UnsafePointer<UInt8> {
    fileprivate var withCChars: UnsafePointer<CChar> { UnsafeRawPointer(self).assumingMemoryBound(to: CChar.self) }
}
