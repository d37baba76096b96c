/// Descriptors that are waited for, and what is done, by the owner of the loop, when one is readable.
final class Descriptors {
    private let loop: EventLoop
    private var handlers: [Int32: () -> Void] = [:]
    /// Takes a readable descriptor to the owner, who calls `ready`. To be set before the first `watch`.
    var forward: @Sendable (Int32) -> Void = { _ in }

    init(on loop: EventLoop) { self.loop = loop }

    func watch(_ descriptor: Int32, _ handler: @escaping () -> Void) {
        handlers[descriptor] = handler
        loop.watch(descriptor) { [forward] in forward(descriptor) }
    }

    /// To be called before the descriptor is closed.
    func forget(_ descriptor: Int32) {
        handlers[descriptor] = nil
        loop.forget(descriptor)
    }

    func ready(_ descriptor: Int32) { handlers[descriptor]?() }
}
