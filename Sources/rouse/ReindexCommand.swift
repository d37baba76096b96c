import ArgumentParser
import Daemon
import Glibc
import JobIndex
import SpoolFormat

struct ReindexCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex", abstract: "Build the index again from the files.",
        discussion: """
            The files are the truth; the index only makes lists and choosing fast. A daemon that starts without an index \
            builds it by itself, so this is for looking without one. While a daemon is running it is refused: stop the \
            daemon, or remove index.sqlite and start it again.
            """)

    private static let batch = 5000

    @OptionGroup var spool: SpoolOption

    func run() throws {
        let spool = try spool.open()
        let lock = try DaemonLock(spool: spool.path)
        defer { withExtendedLifetime(lock) {} }
        let new = SpoolLayout.index + ".new"
        try Self.remove(new, in: spool)
        let (count, damaged) = try build(spool, new)
        try swap(spool, new)
        Output.print("\(count) \(count == 1 ? "job" : "jobs") in the index" + (damaged > 0 ? ", \(damaged) could not be read" : ""))
    }

    private func build(_ spool: SpoolDirectory, _ name: String) throws -> (count: Int, damaged: Int) {
        let store = try SQLiteJobStore(path: spool.path(name))
        var progress = Progress("jobs in the index")
        defer { progress.end() }
        var count = 0
        var damaged = 0
        try JobFiles.all(in: spool.root, damaged: { _, _, damage in
            damaged += 1
            Terminal.complain(damage.description)
        }) { row in
            try store.put(row)
            count += 1
            if count % Self.batch == 0 { try store.commit() }
            progress.show(count)
        }
        let time = Timestamp(milliseconds: Timestamp.now.milliseconds - Defaults.rememberTime.milliseconds)
        try ForgottenJob.all(in: spool.root, finishedAfter: time, store.remember)
        try store.commit()
        return (count, damaged)
    }

    /// A crash on the way leaves a spool without an index, never one with parts of two.
    private func swap(_ spool: SpoolDirectory, _ new: String) throws {
        let file = open(spool.path(new), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemFault("open", spool.path(new)) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw SystemFault("sync", spool.path(new)) }
        try Self.remove(SpoolLayout.index, in: spool)
        try spool.root.rename(new, to: spool.root, as: SpoolLayout.index)
        try spool.root.synchronize()
    }

    /// The database first: what is left of a journal without one is no harm.
    private static func remove(_ name: String, in spool: SpoolDirectory) throws {
        for suffix in ["", "-wal", "-shm", "-journal"] { try spool.root.removeFile(name + suffix) }
    }
}
