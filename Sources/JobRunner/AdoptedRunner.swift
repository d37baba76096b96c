import CLinux
import Glibc
public import SpoolFormat

/// A runner that an earlier daemon started and that still works. It can't be spoken to, as its socket died with that
/// daemon; it is watched, and it can be told by a signal to end its attempt.
public final class AdoptedRunner {
    public let identity: ProcessIdentity
    /// A process descriptor: readable once the runner has ended.
    public let descriptor: Int32

    /// `nil` where that very process is gone.
    public init?(_ identity: ProcessIdentity) {
        guard let descriptor = identity.openDescriptor() else { return nil }
        self.identity = identity
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Tells the runner to end its attempt. `exit.json` then comes as ever.
    public func cancel() { _ = rouse_pidfd_send_signal(descriptor, SIGTERM) }
}
