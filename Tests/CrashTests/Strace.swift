import Glibc

/// Commands to put before the daemon's: strace, which ends it or lets its calls fail at the wanted point.
///
/// The tracer stands aside (`-D`), so the daemon is the test's own child, and it lets go of what the daemon starts
/// (`-b execve`), so calls are counted in the daemon alone, thread by thread.
enum Strace {
    /// Kills the daemon when one of its threads makes `call` for the `number`th time.
    static func killing(at call: String, _ number: Int) -> [String] {
        command(call, ["-e", "inject=\(call):signal=SIGKILL:when=\(number)"], follows: false)
    }

    /// Kills whichever process comes to that point: the daemon, or a runner that it started, or a program.
    static func killingAny(at call: String, _ number: Int) -> [String] {
        command(call, ["-e", "inject=\(call):signal=SIGKILL:when=\(number)"], follows: true)
    }

    /// Lets calls fail; `range` as strace's `when` takes it: `3..10`.
    static func failing(_ call: String, with error: String, _ range: String, on path: String? = nil) -> [String] {
        command(call, ["-e", "inject=\(call):error=\(error):when=\(range)"] + (path.map { ["-P", $0] } ?? []), follows: false)
    }

    /// Writes the named calls of the daemon to a file.
    static func recording(_ calls: String, to path: String) -> [String] {
        ["strace", "-D", "-f", "-qq", "-y", "-s", "64", "-o", path, "-b", "execve", "-e", "trace=\(calls)", "-e", "signal=none"]
    }

    private static func command(_ call: String, _ injection: [String], follows: Bool) -> [String] {
        ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "signal=none"]
            + (follows ? [] : ["-b", "execve"]) + injection
    }
}
