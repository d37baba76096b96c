import CInotifyTools
import Glibc
public import SpoolFormat

/// Why directories cannot be watched: what failed, where, and what to do.
public enum WatchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A watcher is alive in this process. libinotifytools keeps its state for the whole process.
    case alreadyWatching
    /// inotify was initialised when 1,024 files were open already: the library's `select` would abort the process.
    case descriptorTooHigh(Int32)
    /// The library was initialised, but which descriptor it opened could not be told.
    case descriptorNotFound
    /// inotify itself could not be had; `errno` is the code.
    case unavailable(errno: Int32)
    /// A directory could not be watched; `errno` is the code.
    case cannotWatch(path: String, errno: Int32)
    /// A system call that watching rests on failed.
    case system(SystemFault)

    public var description: String {
        switch self {
        case .alreadyWatching:
            "a directory watcher is alive in this process, and libinotifytools allows one; share it, or stop it first"
        case .descriptorTooHigh(let number):
            "inotify got file descriptor \(number), and libinotifytools can only use one below \(FD_SETSIZE); "
                + "start the watcher before other files are opened"
        case .descriptorNotFound:
            "cannot tell which descriptor libinotifytools opened; /proc must be mounted and readable"
        case .unavailable(let code):
            "cannot initialise inotify: \(Self.reason(code))" + Self.advice(initialising: code)
        case .cannotWatch(let path, let code):
            "cannot watch \(path): \(Self.reason(code))" + Self.advice(watching: code)
        case .system(let fault):
            fault.description
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func advice(initialising code: Int32) -> String {
        switch code {
        case EMFILE:
            "; this user has all \(inotifytools_get_max_user_instances()) inotify instances in use: "
                + "end some of their programs or raise fs.inotify.max_user_instances with sysctl"
        case ENFILE: "; the whole system has too many files open: raise fs.file-max with sysctl"
        case ENOSYS: "; this kernel was built without inotify"
        default: ""
        }
    }

    private static func advice(watching code: Int32) -> String {
        switch code {
        case ENOSPC:
            "; this user has all \(inotifytools_get_max_user_watches()) inotify watches in use: "
                + "raise fs.inotify.max_user_watches with sysctl"
        case ENOENT: "; make the directory, it is watched as soon as it is there"
        case EACCES: "; let this user read the directory and search those above it"
        case ENOTDIR: "; it must be a directory itself, not a file or a symbolic link to one"
        case ELOOP: "; there is a loop of symbolic links on the way to it"
        case ENAMETOOLONG: "; use a shorter path"
        default: ""
        }
    }
}
