import CInotifyTools
import Glibc

/// One event, copied out of the library's buffer, which the next call overwrites.
struct InotifyEvent {
    let watch: Int32
    let mask: UInt32
    /// The name within the watched directory; empty when the event is about the directory itself.
    let name: [UInt8]

    init(copying raw: UnsafeMutablePointer<inotify_event>) {
        watch = raw.pointee.wd
        mask = raw.pointee.mask
        let tail = UnsafeRawPointer(raw) + MemoryLayout<inotify_event>.size
        let padded = UnsafeRawBufferPointer(start: tail, count: Int(raw.pointee.len))
        name = Array(padded.prefix { $0 != 0 })
    }

    func has(_ bits: Int32) -> Bool { mask & UInt32(bits) != 0 }
}
