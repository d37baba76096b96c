import CLinux
import Glibc
import JobRunner
import SpoolFormat

/// The log of an attempt: proof that the attempt has begun, proof (by its lock) that the runner lives, and never much
/// larger than its limit.
///
/// The program writes to the file itself, so nothing can stop it from writing; what is taken away is the middle. While
/// the program runs, holes are punched between the head and the moving tail, so that the file's size grows and the
/// room it takes does not. In the end the head, a line that says what is missing, and the tail are put together.
final class LogKeeper {
    /// When the size is to be looked at again.
    private(set) var nextLook: Int64
    /// What the reader of the record should know.
    private(set) var notes: [String] = []

    private static let name = SpoolLayout.Job.log
    private static let temporary = ".log.tmp"
    private static let block: Int64 = 4096
    private static let shortest: Int64 = 100
    private static let longest: Int64 = 2000

    private let job: Directory
    private var file: Int32
    private let head: Int64
    private let tail: Int64
    private var lastSize: Int64 = 0
    private var interval = shortest
    private var hole: Range<Int64>
    private var canPunch = true

    /// Makes the log, which must not exist, and locks it on a descriptor that no child inherits.
    init(in job: Directory, most: Int64, from blanks: Blanks) throws(SystemFault) {
        let path = job.path + "/" + Self.name
        self.job = job
        head = most / 2
        tail = most - most / 2
        let start = (head + Self.block - 1) / Self.block * Self.block
        hole = start..<start
        nextLook = Monotonic.now + Self.shortest
        if let blank = blanks.take(to: job, as: Self.name, preparedBy: { rouse_lock_file($0) == 0 }) {
            file = blank
            return
        }
        file = rouse_openat(job.descriptor, Self.name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemFault("make the log", path) }
        guard rouse_lock_file(file) == 0 else {
            let fault = SystemFault("lock the log", path)
            // Nothing has begun, and a log would say that it has.
            unlinkat(job.descriptor, Self.name, 0)
            throw fault
        }
    }

    deinit { Glibc.close(file) }

    /// Another opening of the log, for the program: a lock belongs to an opening, and the program must not share it.
    func openForProgram() -> Int32 {
        rouse_openat(job.descriptor, Self.name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0)
    }

    /// Looks at the size and takes the middle out. The more the log grows, the sooner the next look.
    func look(at now: Int64) {
        let size = size
        punch(size)
        let isGrowing = size - lastSize > max((head + tail) / 16, 64 << 10)
        interval = isGrowing ? Self.shortest : min(interval * 2, Self.longest)
        lastSize = size
        nextLook = now + interval
    }

    /// Makes the log its final self, when nobody writes to it any more.
    /// - Returns: how many bytes it had to leave out.
    func finish() -> Int64 {
        let size = size
        guard size > head + tail else { return 0 }
        punch(size)
        if let failure = compact(size) {
            notes.append("\(failure); the log has \(hole.count) bytes of zeros in its middle")
            return Int64(hole.count)
        }
        return size - head - tail
    }

    /// Gives up all but the outermost parts of a finished log, to make room on a full disk.
    /// - Returns: how many bytes were given up; `nil` where there was nothing more to give.
    func giveUpMiddle() -> Int64? {
        let kept: Int64 = 64 << 10
        let end = (size - kept) / Self.block * Self.block
        guard end > kept, hole != kept..<end, rouse_punch_hole(file, kept, end - kept) == 0 else { return nil }
        let before = hole.clamped(to: 0..<size).count
        hole = kept..<end
        return Int64(hole.count - before)
    }

    private var size: Int64 {
        var status = stat()
        return fstat(file, &status) == 0 ? Int64(status.st_size) : 0
    }

    private func punch(_ size: Int64) {
        // A program may cut its own output short; what it writes after that is new.
        if size < hole.upperBound { hole = hole.lowerBound..<hole.lowerBound }
        let end = (size - tail) / Self.block * Self.block
        guard canPunch, end > hole.upperBound else { return }
        guard rouse_punch_hole(file, hole.upperBound, end - hole.upperBound) == 0 else {
            canPunch = errno == EINTR
            if !canPunch { notes.append("the log could not be kept small while the program ran: \(String(cString: strerror(errno)))") }
            return
        }
        hole = hole.lowerBound..<end
    }

    /// Puts head and tail into a file of their own, which takes the log's place.
    /// - Returns: what went wrong; the log is then as it was.
    private func compact(_ size: Int64) -> String? {
        let new = rouse_openat(job.descriptor, Self.temporary, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard new >= 0 else { return "cannot make a smaller log: \(String(cString: strerror(errno)))" }
        var copy = FileCopy(from: file, to: new)
        let line = "[rouse: \(size - head - tail) bytes left out]\n"
        guard copy.append(0..<head), copy.append((copy.endsInLineFeed ? "" : "\n") + line), copy.append((size - tail)..<size),
            rouse_lock_file(new) == 0, renameat(job.descriptor, Self.temporary, job.descriptor, Self.name) == 0
        else {
            let reason = String(cString: strerror(errno))
            unlinkat(job.descriptor, Self.temporary, 0)
            Glibc.close(new)
            return "cannot make a smaller log: \(reason)"
        }
        Glibc.close(file)
        file = new
        hole = 0..<0
        return nil
    }
}
