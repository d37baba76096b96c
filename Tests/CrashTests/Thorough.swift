import Glibc

/// Whether the tests that go through every crash point and every failing call are asked for: by `ROUSE_TEST_FULL=1`.
/// They take minutes, and wait for steps that a busy machine may take longer for than they have patience.
enum Thorough {
    static let isAskedFor = getenv("ROUSE_TEST_FULL") != nil
}
