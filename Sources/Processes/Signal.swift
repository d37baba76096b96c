import Glibc

/// The signals by which processes are ended.
package enum Signal {
    package static let stop = SIGSTOP
    package static let resume = SIGCONT
    package static let terminate = SIGTERM
    package static let kill = SIGKILL
}
