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
