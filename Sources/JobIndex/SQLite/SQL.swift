/// The statements of the index. Each is prepared at its first use and kept.
enum SQL: Int, CaseIterable {
    case begin, beginReading, commit, rollback
    case find, insert, updateState, updateAll, delete
    case addLabel, removeLabel, addDependency, removeDependency
    case job, jobByNumber, queued, countsOfAll, highestSequence, states
    case unfinishedByKey, holderOfKey, latestByKey, waitingForDependency, nextWaitingForKey
    case nextDue, due, childCount, endedInQueue, endedBefore
    case numbersOldestFirst, numbersNewestFirst, jobsOldestFirst, jobsNewestFirst
    case firstQueue, queueAfter
    case fact, setFact, removeFact, removeJobs, removeLabels, removeDependencies
    case remember, forgottenByID, forgottenByKey, dropForgotten, removeForgotten

    var text: String {
        switch self {
        case .begin: "BEGIN IMMEDIATE"
        case .beginReading: "BEGIN"
        case .commit: "COMMIT"
        case .rollback: "ROLLBACK"

        case .find:
            "SELECT number, state, queue, seq, priority, verb, key, parent, labels, dependencies FROM jobs WHERE id = ?1"
        case .insert:
            "INSERT INTO jobs (\(JobColumns.written)) VALUES (\(JobColumns.parameters))"
        case .updateState: update(JobColumns.changing)
        case .updateAll: update(JobColumns.names)
        case .delete: "DELETE FROM jobs WHERE number = ?1"
        case .addLabel: "INSERT OR IGNORE INTO labels (name, value, job) VALUES (?1, ?2, ?3)"
        case .removeLabel: "DELETE FROM labels WHERE name = ?1 AND value = ?2 AND job = ?3"
        case .addDependency: "INSERT OR IGNORE INTO dependencies (name, job) VALUES (?1, ?2)"
        case .removeDependency: "DELETE FROM dependencies WHERE name = ?1 AND job = ?2"

        case .job: "\(select) WHERE id = ?1"
        case .jobByNumber: "\(select) WHERE number = ?1"
        case .queued:
            """
            \(select) INDEXED BY jobs_queued WHERE state = 1 AND verb IN ('run', 'prompt', 'wake') AND queue = ?1 \
            ORDER BY priority DESC, seq, number LIMIT ?2
            """
        case .countsOfAll: "SELECT queue, state, count(*) FROM jobs GROUP BY state, queue"
        case .highestSequence: "SELECT max(seq) FROM jobs"
        case .states: "SELECT id, state FROM jobs"

        case .unfinishedByKey: "\(select) INDEXED BY jobs_holding_key WHERE key = ?1 AND state < 3 ORDER BY seq, number"
        case .holderOfKey:
            """
            \(select) INDEXED BY jobs_holding_key WHERE key = ?1 AND state < 3 AND seq < ?2 \
            ORDER BY seq DESC, number DESC LIMIT 1
            """
        case .latestByKey:
            """
            \(select) INDEXED BY jobs_by_key WHERE key = ?1 AND outcome IS NOT 'superseded' \
            ORDER BY seq DESC, number DESC LIMIT 1
            """
        case .waitingForDependency:
            "\(select) WHERE number IN (SELECT job FROM dependencies WHERE name = ?1) ORDER BY seq, number"
        case .nextWaitingForKey:
            """
            \(select) INDEXED BY jobs_holding_key \
            WHERE key = ?1 AND state < 3 AND +state = 0 AND reason = 'key' AND seq > ?2 ORDER BY seq, number LIMIT 1
            """

        case .nextDue: "SELECT due_at FROM jobs INDEXED BY jobs_due WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1"
        case .due: "\(select) INDEXED BY jobs_due WHERE due_at <= ?1 ORDER BY due_at, seq, number LIMIT ?2"
        case .childCount: "SELECT count(*) FROM jobs INDEXED BY jobs_by_parent WHERE parent = ?1"
        case .endedInQueue:
            """
            SELECT ended_at, seq, number FROM jobs INDEXED BY jobs_ended \
            WHERE queue = ?1 AND ended_at IS NOT NULL ORDER BY ended_at, seq, number LIMIT ?2
            """
        case .endedBefore:
            """
            SELECT ended_at, seq, number FROM jobs INDEXED BY jobs_ended \
            WHERE queue = ?1 AND ended_at < ?3 ORDER BY ended_at, seq, number LIMIT ?2
            """

        case .numbersOldestFirst:
            """
            SELECT seq, number FROM jobs INDEXED BY jobs_by_state \
            WHERE state = ?1 AND queue = ?2 AND (?3 IS NULL OR outcome = ?3) ORDER BY seq, number LIMIT ?4
            """
        case .numbersNewestFirst:
            """
            SELECT seq, number FROM jobs INDEXED BY jobs_by_state \
            WHERE state = ?1 AND queue = ?2 AND (?3 IS NULL OR outcome = ?3) ORDER BY seq DESC, number DESC LIMIT ?4
            """
        case .jobsOldestFirst: "\(select) INDEXED BY jobs_by_sequence ORDER BY seq, number LIMIT ?1"
        case .jobsNewestFirst: "\(select) INDEXED BY jobs_by_sequence ORDER BY seq DESC, number DESC LIMIT ?1"
        case .firstQueue: "SELECT min(queue) FROM jobs WHERE state = ?1"
        case .queueAfter: "SELECT min(queue) FROM jobs WHERE state = ?1 AND queue > ?2"

        case .fact: "SELECT value FROM facts WHERE name = ?1"
        case .setFact: "INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"
        case .removeFact: "DELETE FROM facts WHERE name = ?1"
        case .removeJobs: "DELETE FROM jobs"
        case .removeLabels: "DELETE FROM labels"
        case .removeDependencies: "DELETE FROM dependencies"

        case .remember: "INSERT OR REPLACE INTO forgotten (id, key, outcome, finished_at) VALUES (?1, ?2, ?3, ?4)"
        case .forgottenByID: "SELECT id, key, outcome, finished_at FROM forgotten WHERE id = ?1"
        case .forgottenByKey:
            """
            SELECT id, key, outcome, finished_at FROM forgotten INDEXED BY forgotten_by_key \
            WHERE key = ?1 AND outcome IS NOT 'superseded' ORDER BY finished_at DESC LIMIT 1
            """
        case .dropForgotten: "DELETE FROM forgotten WHERE finished_at < ?1"
        case .removeForgotten: "DELETE FROM forgotten"
        }
    }

    private func update(_ columns: [String]) -> String {
        "UPDATE jobs SET \(JobColumns.assignments(of: columns)) WHERE number = \(JobColumns.number)"
    }

    private var select: String { "SELECT \(JobColumns.written) FROM jobs" }
}
