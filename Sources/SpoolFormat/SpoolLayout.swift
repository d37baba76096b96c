/// Names within a spool, in one place.
public enum SpoolLayout {
    public static let inbox = "inbox"
    public static let rejected = "rejected"
    public static let sessions = "sessions"
    public static let config = "config"
    public static let events = "events"
    public static let archive = "archive"
    public static let daemon = "daemon"
    public static let staging = ".staging"
    public static let index = "index.sqlite"
    public static let readme = "README.md"

    /// Every directory of a spool, in the order that `rouse init` makes them.
    public static let directories =
        [inbox, rejected] + JobState.allCases.map(\.rawValue) + [sessions, config]
        + configKinds.map { config + "/" + $0 } + [events, archive, daemon, staging]

    public static let configKinds = ["queues", "agents", "sessions", "pipelines", "schedules", "hooks"]

    public enum Job {
        public static let drop = "drop.json"
        public static let task = "task.json"
        public static let state = "state.json"
        public static let run = "run.json"
        public static let log = "log"
        public static let exit = "exit.json"
        public static let result = "result.json"
        public static let attempts = "attempts"
        /// What the program writes for `result.output`; its path is `$ROUSE_RESULT`.
        public static let output = "output.json"
        /// The working directory of a job that names none.
        public static let work = "work"
        /// The jobs of a `tasks` task until all of them are accepted.
        public static let jobs = "jobs"

        /// What belongs to one attempt and moves to `attempts/<n>/` before the next one. The record that tells which
        /// attempt it is goes last: as long as it is there, a move that was cut short is known for what it is.
        public static let ofAttempt = [log, exit, output, result, run]
    }

    public enum Daemon {
        public static let lock = "lock"
        public static let status = "daemon.json"
        public static let log = "daemon.log"
        public static let metrics = "metrics.prom"
        /// While a file of this name exists, nothing is started.
        public static let pause = "PAUSE"
        /// When each schedule last fired.
        public static let schedules = "schedules.json"
    }
}
