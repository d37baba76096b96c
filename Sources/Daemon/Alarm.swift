import CLinux
import Glibc
import SpoolFormat

/// A timer on an event loop, for one instant at a time.
///
/// On the wall clock it also goes off when somebody sets the clock: what is due then has to be looked at anew.
final class Alarm {
    private let descriptor: Int32
    private let loop: EventLoop
    private let isWallClock: Bool
    private var setTo: Int64?

    init(on loop: EventLoop, wallClock: Bool, _ body: @escaping EventLoop.Handler) {
        self.loop = loop
        isWallClock = wallClock
        let clock = wallClock ? CLOCK_REALTIME : CLOCK_MONOTONIC
        let timer = timerfd_create(Int32(clock), Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        precondition(timer >= 0, "timerfd_create")
        descriptor = timer
        loop.watch(timer) {
            var expirations: UInt64 = 0
            _ = read(timer, &expirations, 8)
            body()
        }
    }

    deinit {
        loop.forget(descriptor)
        close(descriptor)
    }

    /// Goes off at `instant` of the wall clock, at once if that has passed; `nil` is never.
    func set(at instant: Timestamp?) { set(instant?.milliseconds, absolute: true) }

    /// Goes off once, `span` from now.
    func set(after span: TimeSpan) { set(max(span.milliseconds, 1), absolute: false) }

    func cancel() { set(nil, absolute: false) }

    private func set(_ milliseconds: Int64?, absolute: Bool) {
        if absolute, milliseconds == setTo { return }
        setTo = absolute ? milliseconds : nil
        var time = itimerspec()
        if let milliseconds {
            let positive = max(milliseconds, 1)
            time.it_value.tv_sec = Int(positive / 1000)
            time.it_value.tv_nsec = Int(positive % 1000) * 1_000_000
        }
        var flags: Int32 = 0
        if absolute { flags = 1 << 0 | (isWallClock ? 1 << 1 : 0) }  // TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET
        timerfd_settime(descriptor, flags, &time, nil)
    }

    /// After it went off, the same instant may be set again.
    func wentOff() { setTo = nil }
}
