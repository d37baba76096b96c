import JobIndex
import SpoolFormat

/// Puts back what the index had been promised to keep and the file system has lost, because the machine went down.
///
/// The index is synced, the jobs' files are not: a file may be there and empty, a directory may be where it was some
/// seconds ago, or not at all. Every step leaves a spool from which this can begin again.
struct PowerCut {
    let ledger: Ledger
    let finisher: Finisher

    func recover() throws {
        var rows: [JobRow] = []
        try ledger.store.forEachState { id, _ in if let row = try ledger.store.job(id) { rows.append(row) } }
        let staged = Set(try ledger.spool.staging.entries().map(\.name.display))
        let archived = try ArchiveLog(ledger.spool.archive).recentIDs()
        for row in rows {
            if let state = ledger.spool.state(of: row.id) {
                try mend(row, in: state, try ledger.spool.job(row.id, in: state))
            } else if !archived.contains(row.id.text), !staged.contains(where: { Archiver.isOurs($0) && $0.hasSuffix("-\(row.id)") }) {
                try restore(row, staged: staged.first { $0 == row.id.text || $0.hasPrefix("\(row.id)@") })
            }
        }
    }

    // MARK: a job that is there

    private func mend(_ row: JobRow, in state: JobState, _ job: Directory) throws {
        if isDamaged(try job.readTask()) || !job.contains(SpoolLayout.Job.task) { try writeTask(row, into: job) }
        if isDamaged(try job.readState()) { try job.replaceState(StateRecord(row)) }
        let task = try ledger.task(row.id, in: job)
        if state.isFinished {
            if try job.readResultIfWhole() == nil { try job.replace(SpoolLayout.Job.result, with: JSONWriter.write(result(of: row, in: state).json)) }
            return
        }
        // It has gone on since: what the index remembers of it is older.
        let past = try job.readState() ?? StateRecord()
        guard !(past.attempts >= row.attempts && (past.attempts > 0 || past.isRetried)) else { return }
        if row.state.isFinished {
            try finisher.finish(task, in: state, result(of: row, in: row.state))
        } else if row.state == .running, state != .running, row.onCrash == .fail {
            // Its start was synced, its directory's move was not: it may have run, and must not run again.
            try finisher.finish(task, in: state, lost(row))
        }
    }

    /// Whether a record is there that was cut short.
    private func isDamaged(_ read: @autoclosure () throws -> (some Any)?) -> Bool {
        do { _ = try read() } catch { return error is DamagedRecord }
        return false
    }

    // MARK: a job that is not there

    /// - Parameter name: what is left of it in `.staging/`.
    private func restore(_ row: JobRow, staged name: String?) throws {
        let staging = ledger.spool.staging
        let job = try staging.directory(makingIfMissing: name ?? row.id.text)
        try writeTask(row, into: job)
        var target = row.state
        switch row.state {
        case .done, .failed: try job.replace(SpoolLayout.Job.result, with: JSONWriter.write(result(of: row, in: row.state).json))
        case .running where row.onCrash == .fail:
            target = .failed
            try job.replace(SpoolLayout.Job.result, with: JSONWriter.write(lost(row).json))
        case .running:
            target = .queued
            try job.replaceState(StateRecord(attempts: row.attempts, lost: 1))
        case .waiting, .queued: try job.replaceState(StateRecord(row))
        }
        try staging.rename(name ?? row.id.text, to: ledger.spool.directory(of: target), as: row.id.text)
        ledger.events.append("restored", job: row.id, ["queue": .string(row.queue), "state": .string(target.rawValue)])
    }

    private func writeTask(_ row: JobRow, into job: Directory) throws {
        try job.replace(SpoolLayout.Job.task, with: JSONWriter.write(try JSONReader.read(row.task)), synchronizing: true)
    }

    // MARK: results

    /// How it ended, as far as the index, or else the directory that it is in, remembers.
    private func result(of row: JobRow, in state: JobState) -> ResultRecord {
        var result = ResultRecord(
            id: row.id, outcome: row.outcome ?? (state == .done ? .succeeded : .lost),
            error: row.errorCode.map { ErrorRecord($0, row.errorMessage ?? $0) },
            attempts: row.attempts, queuedAt: row.acceptedAt, finishedAt: row.finishedAt ?? .now)
        result.exitCode = row.exitCode
        result.signal = row.signal
        result.startedAt = row.startedAt
        result.durationMilliseconds = row.durationMilliseconds
        result.warnings = ["the result was written again from the index after a power cut"]
        return result
    }

    private func lost(_ row: JobRow) -> ResultRecord {
        ResultRecord(
            id: row.id, outcome: .lost,
            error: ErrorRecord("lost", "the machine went down when it had been started; on_crash is \"fail\", so it is not run again", retryable: true),
            attempts: row.attempts, queuedAt: row.acceptedAt, finishedAt: .now)
    }
}
