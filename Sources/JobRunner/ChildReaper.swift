import Glibc

/// Takes away the daemon's dead children: runners that have ended, and orphans that were handed to it.
public enum ChildReaper {
    /// Reaps whatever has ended, without waiting.
    /// - Returns: how many.
    @discardableResult
    public static func reapAll() -> Int {
        var count = 0
        while true {
            let pid = waitpid(-1, nil, WNOHANG)
            if pid > 0 { count += 1 } else if pid == 0 || errno != EINTR { return count }
        }
    }
}
