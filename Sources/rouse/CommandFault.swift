import ArgumentParser
import Daemon
import Glibc
import JobIndex
import SpoolFormat
import SpoolWatch

/// Why a command can't do what it is asked, in words for a person, and its exit status.
struct CommandFault: Error, CustomStringConvertible {
    let description: String
    let status: ExitStatus

    init(_ description: String, _ status: ExitStatus) {
        self.description = description
        self.status = status
    }

    /// `nil` for what the argument parser tells by itself.
    init?(_ error: any Error) {
        switch error {
        case let fault as CommandFault: self = fault
        case let fault as SystemFault: self.init(fault.description, ExitStatus(fault))
        case let fault as JobFiles.Damage: self.init(fault.description, .badData)
        case let fault as IndexFault: self.init(fault.description, fault.isDamage ? .badData : .inputOutput)
        case let fault as DaemonFault: self.init(fault.description, ExitStatus(rawValue: fault.exitCode) ?? .software)
        case let fault as WatchError: self.init(fault.description, .software)
        default: return nil
        }
    }
}

extension ExitStatus {
    init(_ fault: SystemFault) {
        self =
            switch fault.errno {
            case EACCES, EPERM: .noPermission
            case ENOENT, ENOTDIR: .missing
            case EEXIST, EROFS: .cannotCreate
            case EAGAIN: .tryLater
            default: .inputOutput
            }
    }
}
