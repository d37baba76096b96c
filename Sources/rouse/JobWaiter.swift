import ArgumentParser
import Glibc
import JobIndex
import SpoolFormat
import SpoolWatch

/// Waits until jobs are finished.
struct JobWaiter {
    enum Ending {
        case finished(JobState, ResultRecord?)
        case rejected(String)
        /// It was there, and is not any more.
        case gone
    }

    enum Form { case words, json, silent }

    let spool: SpoolDirectory
    private let bell: Bell

    /// Arms the watch; what happens from here on is not missed.
    init(spool: SpoolDirectory) throws {
        self.spool = spool
        bell = try Bell()
        // A job or a file can also be taken away by hand, and then nothing arrives anywhere.
        for name in [SpoolLayout.inbox, SpoolLayout.rejected] + JobState.allCases.map(\.rawValue) {
            _ = bell.watch(spool.path(name), for: .departures)
        }
        for queue in try spool.queueInboxes() { _ = bell.watch(spool.path(SpoolLayout.inbox, queue), for: .departures) }
    }

    /// Waits for all of them, tells of each as it ends, and exits as the first one did, in the order given, that did
    /// not succeed.
    /// - Parameter known: the ends that were told of before.
    func wait(for ids: [JobID], known: [JobID: Ending] = [:], until deadline: ContinuousClock.Instant? = nil, printing form: Form) throws {
        var endings = known
        try wait(for: ids.filter { known[$0] == nil }, until: deadline) { id, ending in
            endings[id] = ending
            switch form {
            case .silent: break
            case .words: Terminal.note(Self.words(id, ending))
            case .json: Output.write(JSONWriter.write(Self.json(id, ending), .line))
            }
        }
        for id in ids {
            guard let ending = endings[id] else {
                throw CommandFault("\(id) was not finished in time", .timedOut)
            }
            let code = Self.exitCode(ending)
            if code != 0 { throw ExitCode(code) }
        }
    }

    /// Calls `ended` for each job when it is finished; returns when all are, or at the deadline.
    func wait(for ids: [JobID], until deadline: ContinuousClock.Instant?, _ ended: (JobID, Ending) throws -> Void) throws {
        var open: [JobID] = []
        for id in ids where !open.contains(id) { open.append(id) }
        var reasons = ReasonWait()
        while true {
            var left: [JobID] = []
            for id in open {
                if let ending = try ending(of: id, &reasons) { try ended(id, ending) } else { left.append(id) }
            }
            open = left
            if open.isEmpty { return }
            if !bell.wait(until: reasons.next(before: deadline)), let deadline, deadline <= .now { return }
        }
    }

    /// Returns when there may be news of any job; `false` when `deadline` comes first.
    func hears(until deadline: ContinuousClock.Instant?) -> Bool { bell.wait(until: deadline) }

    private func ending(of id: JobID, _ reasons: inout ReasonWait) throws -> Ending? {
        switch try spool.place(of: id) {
        case .inbox, .staging, .job(.waiting), .job(.queued), .job(.running): return nil
        case .job(let state):
            // It may have gone on between the two looks: it was retried, and is waited for again.
            guard let job = try JobFiles.directory(of: id, in: state, of: spool.root) else { return nil }
            return .finished(state, (try? job.readResult()) ?? nil)
        case .rejected:
            // The error follows the file; a daemon that is gone, or can't write, leaves it without.
            guard spool.rejection(of: id) != nil || !DaemonProbe(spool: spool.path).isRunning || reasons.isOver(for: id) else { return nil }
            return .rejected(spool.rejectionText(of: id))
        case nil:
            if let result = try archived(id) { return .finished(result.outcome.state, result) }
            return .gone
        }
    }

    /// A finished job that was forgotten already stands in the archive of the day.
    private func archived(_ id: JobID) throws -> ResultRecord? {
        let now = Timestamp.now
        let name = Array("\"\(id)\"".utf8)
        for day in [now.day, Timestamp(milliseconds: now.milliseconds - 86_400_000).day] {
            guard let bytes = try spool.directory(SpoolLayout.archive)?.read(day + ".jsonl", limit: 1 << 30)?.bytes else { continue }
            for line in bytes.split(separator: 0x0A).reversed() where line.firstRange(of: name) != nil {
                guard let value = try? JSONReader.read(Array(line), maximumDepth: JSONReader.maximumRecordDepth), value["id"]?.string == id.text else { continue }
                if let result = ResultRecord(value) ?? value["result"].flatMap(ResultRecord.init) { return result }
            }
        }
        return nil
    }

    static func exitCode(_ ending: Ending) -> Int32 {
        switch ending {
        case .rejected: return ExitStatus.badData.rawValue
        case .gone: return ExitStatus.missing.rawValue
        case .finished(let state, nil): return state == .done ? 0 : ExitStatus.unsuccessful.rawValue
        case .finished(_, let result?):
            switch result.outcome {
            case .succeeded: return 0
            case .timedOut: return ExitStatus.timedOut.rawValue
            case .failed:
                if let code = result.exitCode, code != 0 { return Int32(truncatingIfNeeded: code) & 0xFF }
                if let signal = result.signal { return 128 + Int32(truncatingIfNeeded: signal) }
                return ExitStatus.unsuccessful.rawValue
            default: return ExitStatus.unsuccessful.rawValue
            }
        }
    }

    /// Of a verb that is acted on at once: it fails where what it names is not there.
    static func exitCode(ofVerb ending: Ending) -> Int32 {
        if case .finished(_, let result?) = ending, ["not_found", "unknown_session"].contains(result.error?.code) { return ExitStatus.missing.rawValue }
        return exitCode(ending)
    }

    static func words(_ id: JobID, _ ending: Ending) -> String {
        switch ending {
        case .rejected(let text): return text
        case .gone: return "\(id) is gone: its directory was removed"
        case .finished(let state, nil): return "\(id) is in \(state.rawValue)/ without a result"
        case .finished(_, let result?): return "\(id) " + OutcomeText(result).text
        }
    }

    private static func json(_ id: JobID, _ ending: Ending) -> JSON {
        switch ending {
        case .rejected(let text): ["id": .string(id.text), "rejected": .string(text)]
        case .gone: ["id": .string(id.text), "gone": true]
        case .finished(let state, nil): ["id": .string(id.text), "state": .string(state.rawValue)]
        case .finished(_, let result?): result.json
        }
    }
}
