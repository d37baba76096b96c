import CLinux
import Glibc
import JobRunner
import SpoolFormat

/// The processes of an attempt as their reaper sees them. As a subreaper the runner becomes the parent of whatever
/// loses its own, so it has no child left exactly when the whole tree is gone.
struct Children {
    /// How the main program ended, and when.
    struct Ending {
        let exitCode: Int?
        let signal: Int?
        let at: Timestamp
        let moment: Int64
    }

    private let main: pid_t?
    private(set) var ending: Ending?
    private(set) var resources = Resources()
    /// Nothing is left, of the main program and of all that came from it.
    private(set) var areGone = false
    private var userMicroseconds: Int64 = 0
    private var systemMicroseconds: Int64 = 0

    init(main: pid_t?) { self.main = main }

    var mainHasEnded: Bool { main == nil || ending != nil }

    /// Takes in every child that has ended.
    mutating func reap() {
        while !areGone {
            var status: Int32 = 0
            var usage = rusage()
            let pid = wait4(-1, &status, WNOHANG, &usage)
            if pid > 0 {
                add(usage)
                if pid == main { ending = Ending(status) }
            } else if pid == 0 {
                return
            } else if errno == ECHILD {
                areGone = true
            }
        }
    }

    /// Stops the main program, to be sure that it runs until it is told to end: otherwise an end of its own could
    /// slip in between the last look and the signal, and be taken for an end by the signal.
    /// - Returns: `false` where it had ended by itself. A program that can't be stopped for a while counts as running.
    func holdMain() -> Bool {
        guard let main, !mainHasEnded else { return false }
        // Not reaped yet, so that the number is still its own.
        guard kill(main, SIGSTOP) == 0 else { return rouse_peek_child(main) != 1 }
        for _ in 0..<100 {
            switch rouse_peek_child(main) {
            case 1, -1: return false
            case 2: return true
            default: _ = poll(nil, 0, 1)
            }
        }
        return true
    }

    private mutating func add(_ usage: rusage) {
        userMicroseconds += Int64(usage.ru_utime.tv_sec) * 1_000_000 + Int64(usage.ru_utime.tv_usec)
        systemMicroseconds += Int64(usage.ru_stime.tv_sec) * 1_000_000 + Int64(usage.ru_stime.tv_usec)
        resources.userMilliseconds = userMicroseconds / 1000
        resources.systemMilliseconds = systemMicroseconds / 1000
        resources.maxRSSBytes = max(resources.maxRSSBytes, Int64(usage.ru_maxrss) * 1024)
    }
}

extension Children.Ending {
    init(_ status: Int32) {
        exitCode = rouse_wifexited(status) != 0 ? Int(rouse_wexitstatus(status)) : nil
        signal = rouse_wifsignaled(status) != 0 ? Int(rouse_wtermsig(status)) : nil
        at = .now
        moment = Monotonic.now
    }
}
