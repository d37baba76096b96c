public import SpoolFormat

extension SQLiteJobStore {
    public func put(_ row: JobRow) throws {
        let labels = JobColumns.text(of: row.labels)
        let dependencies = JobColumns.text(of: row.dependencies)
        try change {
            let known = try find(row.id) { known, query in
                known.hasSameLabels = query.equals(8, labels)
                known.hasSameDependencies = query.equals(9, dependencies)
                known.hasSamePlace =
                    query.equals(2, row.queue) && query.int(3) == row.sequence && query.int(4) == Int64(row.priority)
                    && query.equals(5, row.verb) && query.equals(6, row.key) && query.equals(7, row.parent)
            }
            let sql: SQL = known.map { $0.hasSamePlace ? .updateState : .updateAll } ?? .insert
            try connection.execute(sql) { query in
                JobColumns.bind(row, labels: labels, dependencies: dependencies, to: query)
                if let known, sql != .insert { query.bind(JobColumns.numberIndex, known.number) }
            }
            let number = known?.number ?? connection.lastNumber
            if !(known?.hasSameLabels ?? (labels == nil)) {
                try known.map(removeLabels)
                for (name, value) in row.labels { try label(.addLabel, name, value, number) }
            }
            let waits = row.state == .waiting && dependencies != nil
            if let known, known.waits, !waits || !known.hasSameDependencies { try removeDependencies(known) }
            if waits, !(known?.waits ?? false) || !(known?.hasSameDependencies ?? false) {
                for name in row.dependencies { try dependency(.addDependency, name, number) }
            }
            if let known { counted.add(-1, queue: known.queue, state: known.state) }
            counted.add(1, queue: row.queue, state: row.state)
        }
    }

    public func remove(_ id: JobID) throws {
        try change {
            guard let known = try find(id, { _, _ in }) else { return }
            try removeLabels(known)
            if known.waits { try removeDependencies(known) }
            try connection.execute(.delete) { $0.bind(1, known.number) }
            counted.add(-1, queue: known.queue, state: known.state)
        }
    }

    public func setFact(_ name: String, _ value: String?) throws {
        try change {
            try connection.execute(value == nil ? .removeFact : .setFact) {
                $0.bind(1, name)
                if let value { $0.bind(2, value) }
            }
        }
    }

    public func remember(_ job: ForgottenJob) throws {
        try change {
            try connection.execute(.remember) {
                $0.bind(1, job.id.text)
                $0.bind(2, job.key)
                $0.bind(3, job.outcome.rawValue)
                $0.bind(4, job.finishedAt.milliseconds)
            }
        }
    }

    public func dropForgotten(before time: Timestamp) throws {
        try change { try connection.execute(.dropForgotten) { $0.bind(1, time.milliseconds) } }
    }

    public func removeAll() throws {
        try change {
            for sql in [SQL.removeJobs, .removeLabels, .removeDependencies, .removeForgotten] { try connection.execute(sql) }
            counted.removeAll()
        }
    }

    // MARK: What is there

    /// What a change needs to know of the row that it replaces.
    private struct Known {
        var number: Int64
        var state: JobState
        var queue: String
        /// As they are in the row; most jobs have none.
        var labels: String?
        var dependencies: String?
        var hasSameLabels = false
        var hasSameDependencies = false
        /// Whether what `JobColumns` calls lasting is the same.
        var hasSamePlace = false

        var waits: Bool { state == .waiting && dependencies != nil }
    }

    private func find(_ id: JobID, _ compare: (inout Known, Query) -> Void) throws -> Known? {
        try connection.first(.find, { $0.bind(1, id.text) }) { query in
            guard let state = JobState(code: query.int(1)) else {
                throw IndexFault.damaged(path: path, reason: "there is no state \(query.int(1))")
            }
            var known = Known(
                number: query.int(0), state: state, queue: query.text(2), labels: query.optionalText(8),
                dependencies: query.optionalText(9))
            compare(&known, query)
            return known
        }
    }

    private func removeLabels(_ known: Known) throws {
        guard let labels = known.labels else { return }
        for (name, value) in JobColumns.labels(labels) { try label(.removeLabel, name, value, known.number) }
    }

    private func removeDependencies(_ known: Known) throws {
        guard let dependencies = known.dependencies else { return }
        for name in JobColumns.dependencies(dependencies) { try dependency(.removeDependency, name, known.number) }
    }

    private func label(_ sql: SQL, _ name: String, _ value: String, _ number: Int64) throws {
        try connection.execute(sql) {
            $0.bind(1, name)
            $0.bind(2, value)
            $0.bind(3, number)
        }
    }

    private func dependency(_ sql: SQL, _ name: String, _ number: Int64) throws {
        try connection.execute(sql) {
            $0.bind(1, name)
            $0.bind(2, number)
        }
    }
}
