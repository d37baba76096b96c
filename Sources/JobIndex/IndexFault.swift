/// Why the index can't be used. A job's own troubles are never told this way: they are data.
public enum IndexFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// Written by a newer Rouse, whose schema this one does not know.
    case newer(path: String)
    /// Written by an older Rouse; only the daemon brings it up to date, readers can't.
    case older(path: String)
    /// There is no index to read.
    case missing(path: String)
    /// Not an index of Rouse, or one whose content can't be trusted. It can be set aside and built again.
    case damaged(path: String, reason: String)
    /// The batch is incomplete because one of its changes failed; only `rollback` goes on from here.
    case brokenBatch(path: String)
    /// Anything else; `code` is SQLite's extended result code.
    case failed(path: String, code: Int32, reason: String)

    public var description: String {
        switch self {
        case .newer(let path):
            "\(path) was written by a newer Rouse; upgrade this one, or remove the file: it is built again from the spool"
        case .older(let path):
            "\(path) was written by an older Rouse; start the daemon of this version once to bring it up to date"
        case .missing(let path): "there is no \(path); it is made when the daemon first starts on this spool"
        case .damaged(let path, let reason):
            "\(path) is damaged (\(reason)); remove it: it is built again from the spool"
        case .brokenBatch(let path): "a change to \(path) failed before, so this batch has to be rolled back"
        case .failed(let path, _, let reason): "cannot use \(path): \(reason)"
        }
    }

    public var isDamage: Bool { if case .damaged = self { true } else { false } }
}
