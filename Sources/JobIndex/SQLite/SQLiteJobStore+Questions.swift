public import SpoolFormat

extension SQLiteJobStore {
    public func job(_ id: JobID) throws -> JobRow? { try questions.job(id) }

    public func queued(in queue: String, limit: Int) throws -> [JobRow] {
        try connection.all(
            .queued,
            {
                $0.bind(1, queue)
                $0.bind(2, limit)
            }, connection.row)
    }

    public func counts() throws -> [JobCount] { counted.all }

    public func unfinished(key: String) throws -> [JobRow] { try rows(.unfinishedByKey, key) }
    public func latest(key: String) throws -> JobRow? { try rows(.latestByKey, key).first }
    public func waiting(forDependency name: String) throws -> [JobRow] { try rows(.waitingForDependency, name) }

    public func holder(ofKey key: String, before sequence: Int64) throws -> JobRow? {
        try first(.holderOfKey, key, sequence)
    }

    public func nextWaiting(forKey key: String, after sequence: Int64) throws -> JobRow? {
        try first(.nextWaitingForKey, key, sequence)
    }

    public func forgotten(_ name: String) throws -> ForgottenJob? {
        for sql in [SQL.forgottenByID, .forgottenByKey] {
            let found: ForgottenJob?? = try connection.first(sql, { $0.bind(1, name) }) { query in
                guard let id = JobID(query.text(0)), let outcome = Outcome(rawValue: query.text(2)) else { return nil }
                return ForgottenJob(id: id, key: query.optionalText(1), outcome: outcome, finishedAt: Timestamp(milliseconds: query.int(3)))
            }
            if let job = found ?? nil { return job }
        }
        return nil
    }

    private func first(_ sql: SQL, _ key: String, _ sequence: Int64) throws -> JobRow? {
        try connection.first(sql, {
            $0.bind(1, key)
            $0.bind(2, sequence)
        }, connection.row)
    }

    public func nextDue() throws -> Timestamp? {
        try connection.first(.nextDue) { Timestamp(milliseconds: $0.int(0)) }
    }

    public func due(at now: Timestamp, limit: Int) throws -> [JobRow] {
        try connection.all(
            .due,
            {
                $0.bind(1, now.milliseconds)
                $0.bind(2, limit)
            }, connection.row)
    }

    public func childCount(of parent: String) throws -> Int {
        try connection.first(.childCount, { $0.bind(1, parent) }) { Int($0.int(0)) } ?? 0
    }

    public func select(_ selector: Selector, in states: Set<JobState>) throws -> [JobRow] {
        try questions.select(selector, in: states)
    }

    public func forEachState(_ body: (JobID, JobState) throws -> Void) throws { try questions.forEachState(body) }

    public func highestSequence() throws -> Int64 {
        try connection.first(.highestSequence) { $0.int(0) } ?? 0
    }

    public func finished(in queue: String?, before time: Timestamp, limit: Int) throws -> [JobRow] {
        guard limit > 0 else { return [] }
        var places: [(ended: Int64, sequence: Int64, number: Int64)] = []
        for queue in queue.map({ [$0] }) ?? counted.queues {
            places += try connection.all(
                .endedBefore,
                {
                    $0.bind(1, queue)
                    $0.bind(2, limit)
                    $0.bind(3, time.milliseconds)
                }
            ) { ($0.int(0), $0.int(1), $0.int(2)) }
        }
        places.sort { $0 < $1 }
        return try questions.rows(places.prefix(limit).map(\.number))
    }

    public func finished(in queue: String, beyondNewest count: Int, limit: Int) throws -> [JobRow] {
        let excess = min(counted.count(queue: queue, .done, .failed) - count, limit)
        guard excess > 0 else { return [] }
        let numbers = try connection.all(
            .endedInQueue,
            {
                $0.bind(1, queue)
                $0.bind(2, excess)
            }
        ) { $0.int(2) }
        return try questions.rows(numbers)
    }

    public func list(_ filter: JobFilter) throws -> [JobRow] { try questions.list(filter) }
    public func fact(_ name: String) throws -> String? { try questions.fact(name) }

    private func rows(_ sql: SQL, _ text: String) throws -> [JobRow] {
        try connection.all(sql, { $0.bind(1, text) }, connection.row)
    }
}
