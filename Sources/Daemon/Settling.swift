import CLinux
import Glibc
import SpoolFormat

/// Which dropped files have kept still for `settle`, by a clock that nobody sets.
///
/// A file that is being written in place, or whose writer is between `ln` and `unlink`, is right a moment later. So
/// what is wrong with it counts only once it has not changed for a while and no one has it open for writing.
struct Settling {
    private struct Sighting {
        var status: FileStatus
        /// Monotonic, in milliseconds.
        var since: Int64
    }

    /// How long a file that somebody keeps open for writing is waited for, unchanged.
    private static let patience: Int64 = 60_000

    private var sightings: [EntryName: Sighting] = [:]

    var isEmpty: Bool { sightings.isEmpty }

    /// Notes that `name` is not in order yet. `true` once it has been so, unchanged, for `settle`.
    mutating func hasSettled(_ name: EntryName, _ status: FileStatus, in directory: Directory) -> Bool {
        let now = Self.monotonic()
        guard let sighting = sightings[name], sighting.status == status else {
            sightings[name] = Sighting(status: status, since: now)
            return false
        }
        let age = now - sighting.since
        guard age >= Defaults.settle.milliseconds else { return false }
        return age >= Self.patience || !Self.isBeingWritten(name, in: directory)
    }

    mutating func forget(_ name: EntryName) { sightings[name] = nil }

    /// Forgets those that are not there any more.
    mutating func keep(only names: Set<EntryName>) { sightings = sightings.filter { names.contains($0.key) } }

    func isWaiting(for name: EntryName) -> Bool { sightings[name] != nil }

    /// When to look again: soon for what was seen first just now (`ln` and `unlink` lie close together), then when it
    /// will have settled.
    var nextLook: TimeSpan? {
        let now = Self.monotonic()
        let waits = sightings.values.map { sighting in
            let age = now - sighting.since
            if age < 20 { return Int64(20) - age }
            if age < Defaults.settle.milliseconds { return Defaults.settle.milliseconds - age }
            return 1000
        }
        return waits.min().map { TimeSpan(milliseconds: max($0, 1)) }
    }

    /// A read lease is granted only on a file that no process has open for writing.
    static func isBeingWritten(_ name: EntryName, in directory: Directory) -> Bool {
        let file = name.withCString { rouse_openat(directory.descriptor, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0) }
        guard file >= 0 else { return false }
        defer { close(file) }
        let setLease: Int32 = 1024  // F_SETLEASE
        if fcntl(file, setLease, Int32(F_RDLCK)) == 0 {
            _ = fcntl(file, setLease, Int32(F_UNLCK))
            return false
        }
        return errno == EAGAIN
    }

    private static func monotonic() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
