import SpoolFormat

/// The questions that the daemon and the command line both ask, over one connection.
struct Questions {
    let connection: Connection

    func job(_ id: JobID) throws -> JobRow? {
        try connection.first(.job, { $0.bind(1, id.text) }, connection.row)
    }

    func counts(_ body: (JobCount) -> Void) throws {
        try connection.each(.countsOfAll, { _ in }) { query in
            guard let state = JobState(code: query.int(1)) else {
                throw IndexFault.damaged(path: connection.path, reason: "there is no state \(query.int(1))")
            }
            body(JobCount(queue: query.text(0), state: state, count: Int(query.int(2))))
            return true
        }
    }

    func select(_ selector: Selector, in states: Set<JobState>) throws -> [JobRow] {
        switch selector {
        case .job(let text):
            guard let id = JobID(text), let row = try job(id), states.contains(row.state) else { return [] }
            return [row]
        case .queue(let queue): return try list(JobFilter(states: states, queue: queue))
        case .session(let name): return try list(JobFilter(states: states, queue: SessionName.queue(of: name)))
        // No label names no job: a slip must not cancel everything.
        case .labels(let labels): return labels.isEmpty ? [] : try list(JobFilter(states: states, labels: labels))
        }
    }

    func forEachState(_ body: (JobID, JobState) throws -> Void) throws {
        try connection.each(.states, { _ in }) { query in
            guard let id = JobID(query.text(0)), let state = JobState(code: query.int(1)) else {
                throw IndexFault.damaged(path: connection.path, reason: "a row is none of a job")
            }
            try body(id, state)
            return true
        }
    }

    func fact(_ name: String) throws -> String? {
        try connection.first(.fact, { $0.bind(1, name) }) { $0.text(0) }
    }

    // MARK: Lists

    func list(_ filter: JobFilter) throws -> [JobRow] {
        if !filter.labels.isEmpty || filter.parent != nil { return try search(filter) }
        if filter.states == nil, filter.queue == nil, filter.outcome == nil {
            return try connection.all(
                filter.newestFirst ? .jobsNewestFirst : .jobsOldestFirst, { $0.bind(1, filter.limit ?? -1) },
                connection.row)
        }
        return try connection.consistently {
            try rows(numbers(of: filter))
        }
    }

    /// Where the jobs of a list are. Each queue's jobs of one state lie in the order of acceptance, so the first
    /// `limit` of each are enough, and a short list of a long queue is read without walking through the queue.
    private func numbers(of filter: JobFilter) throws -> [Int64] {
        var places: [(sequence: Int64, number: Int64)] = []
        for state in JobState.allCases where filter.states?.contains(state) ?? true {
            for queue in try filter.queue.map({ [$0] }) ?? queues(with: state) {
                try connection.each(
                    filter.newestFirst ? .numbersNewestFirst : .numbersOldestFirst,
                    {
                        $0.bind(1, state.code)
                        $0.bind(2, queue)
                        $0.bind(3, filter.outcome?.rawValue)
                        $0.bind(4, filter.limit ?? -1)
                    }
                ) {
                    places.append(($0.int(0), $0.int(1)))
                    return true
                }
            }
        }
        if filter.newestFirst { places.sort { $0 > $1 } } else { places.sort { $0 < $1 } }
        return places.prefix(filter.limit ?? places.count).map(\.number)
    }

    /// The queues that have jobs of `state`, found by skipping from one to the next.
    private func queues(with state: JobState) throws -> [String] {
        var queues: [String] = []
        var next = try connection.first(.firstQueue, { $0.bind(1, state.code) }) { $0.optionalText(0) }
        while let queue = next {
            queues.append(queue)
            next = try connection.first(
                .queueAfter,
                {
                    $0.bind(1, state.code)
                    $0.bind(2, queue)
                }
            ) { $0.optionalText(0) }
        }
        return queues
    }

    func rows(_ numbers: [Int64]) throws -> [JobRow] {
        try numbers.compactMap { number in
            try connection.first(.jobByNumber, { $0.bind(1, number) }, connection.row)
        }
    }

    /// Jobs by label or parent: these are few, so they are found first and the rest is asked of each.
    private func search(_ filter: JobFilter) throws -> [JobRow] {
        var conditions: [String] = []
        var values: [String] = []
        func value(_ text: String) -> String {
            values.append(text)
            return "?\(values.count)"
        }
        for (name, text) in filter.labels {
            conditions.append(
                "number IN (SELECT job FROM labels WHERE name = \(value(name)) AND value = \(value(text)))")
        }
        if let parent = filter.parent { conditions.append("parent = \(value(parent))") }
        // The unary plus keeps SQLite from walking through a whole state or queue instead.
        if let queue = filter.queue { conditions.append("+queue = \(value(queue))") }
        if let outcome = filter.outcome { conditions.append("+outcome = \(value(outcome.rawValue))") }
        if let states = filter.states {
            conditions.append("+state IN (\(states.map { "\($0.code)" }.joined(separator: ", ")))")
        }
        let direction = filter.newestFirst ? " DESC" : ""
        let text = """
            SELECT \(JobColumns.written) FROM jobs WHERE \(conditions.joined(separator: " AND ")) \
            ORDER BY +seq\(direction), number\(direction) LIMIT \(filter.limit ?? -1)
            """
        var rows: [JobRow] = []
        try connection.each(
            text: text,
            { query in for (index, value) in values.enumerated() { query.bind(Int32(index + 1), value) } }
        ) {
            rows.append(try connection.row($0))
            return true
        }
        return rows
    }
}
