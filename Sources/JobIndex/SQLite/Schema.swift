import GRDB

/// The tables of `index.sqlite`, by the migrations that make them. A migration that was released is never changed.
///
/// What decides the layout:
/// - A job is put about three times in its life and read by id about as often, so a state change must touch few
///   indexes. An index covers only the jobs that its question is about: a job without a key, parent or deadline pays
///   for none of these, a finished job has left the queue's index, and `dependencies` has rows only while a job waits.
/// - `number`, the row's own, follows the order of insertion. `seq` is not the primary key: two directories that
///   somebody copied together may claim one place, and the daemon must still start.
/// - Text is compared as bytes (BINARY, SQLite's default).
/// - States are numbers (`JobState.code`), since partial indexes spell them out: 0 waiting, 1 queued, 2 running,
///   3 done, 4 failed.
enum Schema {
    /// `Rous`, in the file's header: tells an index from any other SQLite file.
    static let applicationID: Int32 = 0x526F_7573

    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 jobs") { database in
            try database.execute(sql: jobs)
        }
        migrator.registerMigration("2 forgotten jobs") { database in
            try database.execute(sql: forgotten)
        }
        migrator.registerMigration("3 turns") { database in
            try database.execute(sql: turns)
        }
        return migrator
    }()

    private static let forgotten = """
        CREATE TABLE forgotten (
            id TEXT PRIMARY KEY, key TEXT, outcome TEXT NOT NULL, finished_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX forgotten_by_key ON forgotten (key, finished_at) WHERE key IS NOT NULL;
        CREATE INDEX forgotten_by_time ON forgotten (finished_at);
        """

    /// Turns of sessions are chosen like other jobs.
    private static let turns = """
        DROP INDEX jobs_queued;
        CREATE INDEX jobs_queued ON jobs (queue, priority DESC, seq) WHERE state = 1 AND verb IN ('run', 'prompt', 'wake');
        """

    private static let jobs = """
        PRAGMA application_id = \(applicationID);
        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            seq INTEGER NOT NULL,
            queue TEXT NOT NULL,
            priority INTEGER NOT NULL,
            verb TEXT NOT NULL,
            key TEXT,
            parent TEXT,
            state INTEGER NOT NULL,
            reason TEXT,
            until INTEGER,
            expires_at INTEGER,
            due_at INTEGER,
            attempts INTEGER NOT NULL,
            started_at INTEGER,
            finished_at INTEGER,
            ended_at INTEGER,
            duration_ms INTEGER,
            outcome TEXT,
            exit_code INTEGER,
            signal INTEGER,
            error_code TEXT,
            error_message TEXT,
            summary TEXT NOT NULL,
            labels TEXT,
            depth INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            dependencies TEXT,
            runs_after_failure INTEGER NOT NULL,
            accepted_at INTEGER NOT NULL,
            on_crash TEXT NOT NULL,
            task TEXT NOT NULL
        );
        CREATE INDEX jobs_by_sequence ON jobs (seq);
        CREATE INDEX jobs_by_state ON jobs (state, queue, seq);
        CREATE INDEX jobs_queued ON jobs (queue, priority DESC, seq) WHERE state = 1 AND verb = 'run';
        CREATE INDEX jobs_ended ON jobs (queue, ended_at, seq) WHERE ended_at IS NOT NULL;
        CREATE INDEX jobs_due ON jobs (due_at, seq) WHERE due_at IS NOT NULL;
        CREATE INDEX jobs_by_key ON jobs (key, seq) WHERE key IS NOT NULL;
        CREATE INDEX jobs_holding_key ON jobs (key, seq) WHERE key IS NOT NULL AND state < 3;
        CREATE INDEX jobs_by_parent ON jobs (parent, seq) WHERE parent IS NOT NULL;

        CREATE TABLE labels (
            name TEXT NOT NULL, value TEXT NOT NULL, job INTEGER NOT NULL,
            PRIMARY KEY (name, value, job)
        ) WITHOUT ROWID;
        CREATE TABLE dependencies (
            name TEXT NOT NULL, job INTEGER NOT NULL,
            PRIMARY KEY (name, job)
        ) WITHOUT ROWID;
        CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        """
}
