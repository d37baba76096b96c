public import SpoolFormat

extension ExitRecord {
    /// What the end of an attempt means for its job: the outcome, and the error where it did not succeed.
    ///
    /// `retryable` says whether the same attempt may end otherwise another time: what could not be started can't.
    public var outcome: (Outcome, ErrorRecord?) {
        switch cause {
        case .exited:
            if let signal {
                let error = ErrorRecord("signal", "ended by signal \(SignalName.describe(signal))", retryable: true)
                return (.failed, error)
            }
            guard let exitCode, exitCode != 0 else { return (.succeeded, nil) }
            return (.failed, ErrorRecord("exit_code", "exited with code \(exitCode)", retryable: true))
        case .timeout:
            return (.timedOut, ErrorRecord("timed_out", message ?? "took longer than its timeout", retryable: true))
        case .cancelled:
            return (.cancelled, ErrorRecord("cancelled", message ?? "cancelled while it ran"))
        case .unstartable:
            return (.failed, ErrorRecord("unstartable", message ?? "the program could not be started"))
        }
    }
}

enum SignalName {
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    /// `9 (KILL)`; a real-time signal is only a number.
    static func describe(_ number: Int) -> String {
        (1...names.count).contains(number) ? "\(number) (\(names[number - 1]))" : "\(number)"
    }
}
