import Glibc
import SpoolFormat

/// How wakes are timed. Tests set it by the environment, so that none has to wait for a clock, or to beat one.
struct WakeTiming: Sendable {
    /// How long a wake tries to interrupt a turn that waits for input: from the request to the end of the turn.
    var deadline = Defaults.wakeDeadline
    /// Reasons often come together. A session that has no process has time: it is woken once none has come for this
    /// long, and at the latest after `longest`.
    var quiet = TimeSpan(milliseconds: 250)
    var longest = TimeSpan.seconds(3)

    init() {
        func span(_ name: String) -> TimeSpan? { getenv(name).flatMap { TimeSpan(String(cString: $0)) } }
        if let span = span("ROUSE_TEST_WAKE_DEADLINE") { deadline = span }
        if let span = span("ROUSE_TEST_WAKE_QUIET") { (quiet, longest) = (span, .minutes(10)) }
    }
}
