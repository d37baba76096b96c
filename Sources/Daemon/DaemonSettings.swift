public import SpoolFormat

/// How a daemon is to work; what the command line says.
public struct DaemonSettings: Sendable {
    public var spool: String
    /// The path of `rouse-runner`.
    public var runner: String
    /// The path of `rouse-agent`.
    public var agent: String
    public var sweep: TimeSpan = Defaults.sweep
    /// Waits for running jobs at the end.
    public var drains = false
    /// Ends running jobs at the end.
    public var kills = false
    var mustRebuildIndex = false
    var wakeTiming = WakeTiming()
    var onSweep: @Sendable () -> Void = {}

    public init(spool: String, runner: String, agent: String) {
        self.spool = spool
        self.runner = runner
        self.agent = agent
    }
}
