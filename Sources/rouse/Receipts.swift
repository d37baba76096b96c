import ArgumentParser
import Glibc
import SpoolFormat

/// What became of the files that a command drops. Where a daemon runs, that is a matter of milliseconds, so it is waited
/// for: whoever dropped a file that is rejected hears why, and gets the id that the job really has.
final class Receipts {
    /// How long a daemon is waited for that is busy, or stopped: in all, however many files are dropped.
    static let patience = Terminal.environment("ROUSE_PATIENCE").flatMap { TimeSpan($0) } ?? .seconds(2)
    /// Each of those that are waited for is held open: so many before they are told of, and so many after that. What is
    /// beyond that goes by its name. Half of what a process may have open is left to everything else.
    private static let (mostUntold, mostOpen) = {
        var limit = rlimit()
        let most = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Int(clamping: limit.rlim_cur) : 1024
        return (max(1, min(64, most / 8)), min(512, most / 2 - min(64, most / 8)))
    }()

    private let spool: String
    private let json: Bool
    private let isSilent: Bool
    private let waiter: JobWaiter?
    /// Somebody waits for the jobs, too.
    private let goesOn: Bool
    let daemon: DaemonProbe
    private var left = Duration.milliseconds(Receipts.patience.milliseconds)
    private var untold: [DroppedFile] = []
    /// With the files that are to be looked at once more.
    private var told: [(id: JobID, file: DroppedFile?, fate: DropFate)] = []

    /// To be made before anything is dropped: it arms the watch.
    /// - Parameters:
    ///   - waiter: one that is there already.
    ///   - json: whether an object is printed for each, and not its id alone.
    ///   - isSilent: nothing is printed: what is waited for will be.
    init(spool path: String, waiter: JobWaiter? = nil, json: Bool, isSilent: Bool = false) {
        spool = path
        self.isSilent = isSilent
        self.json = json
        daemon = DaemonProbe(spool: path)
        // Who can't look is not kept from dropping.
        goesOn = waiter != nil
        self.waiter = waiter ?? (daemon.isRunning ? try? JobWaiter(spool: SpoolDirectory(path)) : nil)
    }

    /// Takes note of a file; of many, the first are told of before the last are dropped.
    func add(_ file: DroppedFile) {
        untold.append(file)
        if untold.count >= Self.mostUntold { settle() }
    }

    // MARK: looking

    /// Waits until all that were dropped are taken in or rejected, or for as long as is reasonable, and tells of each.
    func settle() {
        let start = ContinuousClock.now
        let fates = fates(of: untold, until: daemon.isRunning ? start + left : start)
        left = max(.zero, left - start.duration(to: .now))
        for (file, fate) in zip(untold, fates) {
            told.append((file.id, goesOn && fate.isOpen && told.count { $0.file != nil } < Self.mostOpen ? file : nil, fate))
            tell(file, fate)
        }
        untold = []
    }

    /// Waits for those that were not taken in yet when they were told of, however long that takes.
    func settleAll() {
        let open = told.indices.filter { told[$0].file != nil }
        for (index, fate) in zip(open, fates(of: open.compactMap { told[$0].file }, until: nil)) {
            if let file = told[index].file, !isTold(fate, after: told[index].fate) { tellLate(file, fate) }
            told[index].fate = fate
            told[index].file = nil
        }
    }

    private func fates(of files: [DroppedFile], until deadline: ContinuousClock.Instant?) -> [DropFate] {
        var fates = files.map { DropFate(of: $0, in: spool) }
        var reasons = ReasonWait()
        while let waiter {
            let open = fates.indices.filter { index in
                if case .rejected(_, nil) = fates[index] { return !reasons.isOver(for: files[index].id) }
                return fates[index].isOpen
            }
            if open.isEmpty { break }
            if !waiter.hears(until: reasons.next(before: deadline)), let deadline, deadline <= .now { break }
            for index in open { fates[index] = DropFate(of: files[index], in: spool) }
        }
        return fates
    }

    // MARK: telling

    private func tell(_ file: DroppedFile, _ fate: DropFate) {
        if case .rejected(let name, let reason) = fate {
            let text = rejection(name, reason)
            if json, !isSilent { Output.write(JSONWriter.write(["id": .string(file.id.text), "file": .string(file.path), "rejected": .string(text)], .line)) }
            return Terminal.complain(text)
        }
        let id = fate.job ?? file.id
        if !isSilent {
            if json { Output.write(JSONWriter.write(["id": .string(id.text), "file": .string(file.path)], .line)) } else { Output.print(id.text) }
        }
        tellName(file, fate)
        if case .acted(_, _, let result?) = fate { complain(result) }
        if case .pending = fate, daemon.isRunning {
            let fault = daemon.status?["fault"]?.string.map { "; it says: \($0)" } ?? ""
            Terminal.complain("\(file.id) is in the inbox, and the daemon has not come to it within \(Self.patience)\(fault); rouse wait \(file.id) waits for it")
        }
    }

    /// That a file was rejected is told once, unless there is a reason now.
    private func isTold(_ fate: DropFate, after earlier: DropFate) -> Bool {
        if case (.rejected(_, nil), .rejected) = (fate, earlier) { return true }
        return false
    }

    private func tellLate(_ file: DroppedFile, _ fate: DropFate) {
        if case .rejected(let name, let reason) = fate { return Terminal.complain(rejection(name, reason)) }
        tellName(file, fate)
        if case .acted(_, _, let result?) = fate { complain(result) }
    }

    private func tellName(_ file: DroppedFile, _ fate: DropFate) {
        guard let id = fate.job, id != file.id else { return }
        Terminal.complain("the id \(file.id) is in use; the job is called \(id)")
    }

    private func complain(_ result: ResultRecord) {
        if let error = result.error { Terminal.complain("\(error.message) (\(error.code))") }
    }

    private func rejection(_ name: String, _ reason: JSON?) -> String {
        reason.map { "rejected: " + RejectionText($0).text } ?? RejectionText.missing(name, in: spool)
    }

    /// Tells of the rest, for a command that waits no longer, and exits as they say.
    func conclude() throws {
        if !untold.isEmpty {
            settle()
            remarkOnDaemon()
        }
        if exitCode != 0 { throw ExitCode(exitCode) }
    }

    /// Whether the first is a job.
    var isAccepted: Bool { told.first?.fate.job != nil }
    /// Whether the first may be one yet.
    var mayBeAccepted: Bool { told.first.map { $0.fate.job != nil || $0.fate.isOpen } ?? false }

    /// Says where nobody is there to take them in.
    func remarkOnDaemon() {
        guard daemon.state == .stopped, told.contains(where: { $0.fate.isOpen }) else { return }
        Terminal.complain("no daemon is running; \(told.count == 1 ? "the task" : "the tasks") will be taken in when one is (\(DaemonProbe.advice))")
    }

    /// Of the first with which something is wrong.
    var exitCode: Int32 { told.lazy.compactMap(\.fate.exitCode).first ?? 0 }

    /// What is waited for to its end, in the order in which it was dropped: ids of jobs, and the ends that are known.
    var jobs: [(id: JobID, ending: JobWaiter.Ending?)] {
        told.map { asked, _, fate in
            switch fate {
            case .rejected(let name, let reason): (asked, .rejected(rejection(name, reason)))
            case .acted(let id, let state, let result): (id, .finished(state, result))
            case .pending, .acting, .accepted, .unknown: (fate.job ?? asked, nil)
            }
        }
    }
}
