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
        /// What is said to the agent, and how: of a turn.
        public static let prompt = "prompt.json"
        /// The prompt as text, for an agent that takes it from a file.
        public static let promptText = "prompt.txt"
        /// The prompt is being said: from then on the agent may have heard it.
        public static let said = "said.json"
        /// What came of a turn, by its driver; of a process that stays, how its agent ended.
        public static let reply = "reply.json"
        /// Why a session is woken: a line each.
        public static let reasons = "reasons.jsonl"
        /// Where a wake has got to: the ways it was tried.
        public static let wake = "wake.json"
        /// Notes that go in front of the prompt, moved here from the session.
        public static let notes = "notes"
        /// Somebody wants the turn to end.
        public static let interrupt = "interrupt.json"
        /// What the agent is told that waits for input.
        public static let answer = "answer.json"

        /// What belongs to one attempt and moves to `attempts/<n>/` before the next one. The record that tells which
        /// attempt it is goes last: as long as it is there, a move that was cut short is known for what it is.
        public static let ofAttempt = [log, exit, output, said, reply, interrupt, answer, result, run]
    }

    public enum Session {
        public static let definition = "session.json"
        public static let state = "state.json"
        public static let waiting = "waiting.json"
        public static let turn = "turn.json"
        public static let report = "report.json"
        public static let notes = "notes"
        public static let checkpoints = "checkpoints"
        public static let events = "events.jsonl"
        /// What was in it before it was begun anew.
        public static let eventsBefore = "events.1.jsonl"
        public static let transcript = "transcript.jsonl"
        /// The agent's working directory, where none is configured.
        public static let work = "work"
        /// Where the process that stays hands out the agent's standard input and output.
        public static let agentSocket = "agent.sock"
        /// What a turn must know of a process that speaks the Agent Client Protocol and stays.
        public static let acp = "acp.json"
        public static let tmuxSocket = "tmux.sock"
        /// What runs in the terminal, and how it ended.
        public static let pane = "pane.json"
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
        /// Empty files and directories, made in advance.
        public static let blanks = ".blanks"
    }
}
