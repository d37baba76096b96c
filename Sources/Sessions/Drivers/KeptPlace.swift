import SpoolFormat

/// Where a process that stays between turns finds what it is, and where its turns find it.
struct KeptPlace {
    let record: KeepRecord
    /// `sessions/<name>`
    let session: Directory

    init(inJob path: String, spool: String) throws(TurnFault) {
        do {
            guard let json = try Directory(path).readJSON(SpoolLayout.Job.prompt) else {
                throw TurnFault("no_prompt", "\(path) has no \(SpoolLayout.Job.prompt)")
            }
            record = try KeepRecord.read(json)
            session = try Directory(spool).directory(SpoolLayout.sessions).directory(record.session)
        } catch let fault as TurnFault {
            throw fault
        } catch let fault as TaskFault {
            throw TurnFault("bad_prompt", fault.message)
        } catch {
            throw TurnFault("bad_prompt", "\(error)")
        }
    }
}
