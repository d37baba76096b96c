/// What people call a signal.
public enum SignalName {
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    private static func name(_ number: Int) -> String? {
        (1...names.count).contains(number) ? names[number - 1] : nil
    }

    /// `9 (KILL)`; a real-time signal is only a number.
    public static func describe(_ number: Int) -> String { name(number).map { "\(number) (\($0))" } ?? "\(number)" }

    /// `SIGKILL`, or `signal 35`.
    public static func short(_ number: Int) -> String { name(number).map { "SIG\($0)" } ?? "signal \(number)" }
}
