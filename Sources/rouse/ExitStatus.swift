import ArgumentParser

/// Exit codes, by sysexits.h where it has one.
enum ExitStatus: Int32, CaseIterable {
    case ok = 0
    case unsuccessful = 1
    case usage = 64
    case badData = 65
    case missing = 66
    case unavailable = 69
    case software = 70
    case missingProgram = 72
    case cannotCreate = 73
    case inputOutput = 74
    case tryLater = 75
    case noPermission = 77
    case timedOut = 124

    var meaning: String {
        switch self {
        case .ok: "done; the job succeeded"
        case .unsuccessful: "the job was cancelled, expired, superseded or lost, or failed without a code; doctor found a fault"
        case .usage: "the command line is wrong (EX_USAGE)"
        case .badData: "a task, configuration or record is wrong; line, column and field are told (EX_DATAERR)"
        case .missing: "there is no such spool, job, attempt or file (EX_NOINPUT)"
        case .unavailable: "a daemon is needed and none is running, or a session has no terminal (EX_UNAVAILABLE)"
        case .software: "a fault of rouse itself (EX_SOFTWARE)"
        case .missingProgram: "rouse-runner or tmux is missing (EX_OSFILE)"
        case .cannotCreate: "something can't be made; a name is taken (EX_CANTCREAT)"
        case .inputOutput: "reading or writing failed, or the disk is full (EX_IOERR)"
        case .tryLater: "not now: another daemon holds the spool (EX_TEMPFAIL)"
        case .noPermission: "not allowed by owner or mode (EX_NOPERM)"
        case .timedOut: "the job reached its timeout, or --timeout was over"
        }
    }

    static let ofWait =
        "wait, and drop --wait, exit as the job did: 0, its own exit code, or 128 and the number of the signal. "
        + "What is dropped and rejected while the command looks is 65, and a verb that fails 1, or 66 where what it names is not there. "
        + "cancel, retry, recover, hold and release exit with 0 also where no job of the --queue or --label is one to act on; they say so."

    static let summary = "Exit codes: 0 done, 64 usage, 65 bad task, 66 no such spool or job, 69 no daemon, 70 fault of "
        + "rouse, 72 no runner, 73 can't create, 74 input/output, 75 try later, 77 no permission. More: rouse help exit-codes"

    static var table: String {
        allCases.map { status in
            let number = String(status.rawValue)
            return String(repeating: " ", count: 3 - number.count) + number + "  " + status.meaning
        }.joined(separator: "\n")
    }
}

extension ExitCode {
    init(_ status: ExitStatus) { self.init(status.rawValue) }
}
