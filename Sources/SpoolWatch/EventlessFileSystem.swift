import CLinux
import SpoolFormat

/// A file system on which files can change without this machine's kernel knowing: others have it mounted, too, or a
/// program or the network is behind it. inotify tells of local changes only, so such a directory is polled as well.
///
/// Overlay is not among them: what is dropped through the overlay is seen. Only a change made behind its back, in a
/// lower layer, is not; `ROUSE_WATCH=poll` is for who does that.
struct EventlessFileSystem: Sendable, Equatable {
    let name: String

    init?(type: Int64) {
        guard let name = Self.names[type] else { return nil }
        self.name = name
    }

    /// The file system that `directory` is on, if it is such a one.
    init?(of directory: AbsolutePath) {
        guard let opened = try? Directory(directory.text) else { return nil }
        self.init(type: rouse_fs_type(opened.descriptor))
    }

    /// By the number that statfs(2) gives.
    private static let names: [Int64: String] = [
        0x6969: "NFS",
        0x517B: "SMB",
        0xFF53_4D42: "CIFS",
        0xFE53_4D42: "SMB2",
        0x0102_1997: "9p",
        0x6573_5546: "FUSE",
        0x5346_414F: "AFS",
        0x6B41_4653: "AFS",
        0x00C3_6400: "Ceph",
        0x0BD0_0BD0: "Lustre",
        0x7375_7245: "Coda",
        0x4750_4653: "GPFS",
        0x786F_4256: "vboxsf",
        0xBACB_ACBC: "vmhgfs",
    ]
}
