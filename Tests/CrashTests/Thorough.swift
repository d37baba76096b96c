import Glibc

/// Whether every crash point, every failing call and the full numbers are asked for, by `ROUSE_TEST_FULL=1`; they take
/// the better part of an hour. Without it a sample is taken, another one each time.
enum Thorough {
    static let isAskedFor = getenv("ROUSE_TEST_FULL") != nil
}
