import Dispatch
import Glibc

/// Tells of children that have ended: runners, and what a killed runner has left to the daemon, which is the next
/// subreaper above it.
final class ChildSignals {
    private let source: any DispatchSourceSignal

    init(_ body: @escaping @Sendable () -> Void) {
        source = DispatchSource.makeSignalSource(signal: SIGCHLD, queue: DispatchQueue(label: "rouse.children"))
        source.setEventHandler(handler: body)
        source.resume()
    }

    func stop() { source.cancel() }
}
