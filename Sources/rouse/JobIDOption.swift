import ArgumentParser
import SpoolFormat

/// The id that a job is to have.
struct JobIDOption: ParsableArguments {
    @Option(help: ArgumentHelp("The job's id. (default: a file's name if it is free, or a new one)", valueName: "id"))
    var id: String?

    func validate() throws {
        guard let id, JobID(id) == nil else { return }
        throw ValidationError("--id takes letters, digits, '.', '_', '-', at most \(JobID.longest), starting with a letter or digit.")
    }

    /// The id, where one is asked for.
    /// - Throws: where it can be seen to be taken.
    func free(in spool: SpoolDirectory?) throws -> JobID? {
        guard let id = id.flatMap(JobID.init) else { return nil }
        if try spool?.isUsed(id) == true { throw Self.taken(id) }
        return id
    }

    static func taken(_ id: JobID) -> CommandFault { CommandFault("the id \(id) is taken; choose another, or leave --id out", .cannotCreate) }
}

extension SpoolDirectory {
    /// What was rejected under this name has no claim to it.
    func isUsed(_ id: JobID) throws -> Bool {
        let place = try place(of: id)
        return place != nil && place != .rejected
    }
}
