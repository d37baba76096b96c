import CLinux
import Glibc
import Logging
import SpoolFormat
import Synchronization

/// Where the daemon's own words go: standard error, and `daemon/daemon.log` once the spool is open.
final class DaemonLog: Sendable {
    /// At this size the log is moved to `daemon.log.1`, so the two together never take more than twice as much.
    private static let largest = 8 << 20

    private struct State {
        var directory: Directory?
        var file: Int32 = -1
        var size = 0
    }

    private let state = Mutex(State())

    func open(in directory: Directory) { state.withLock { $0.directory = directory } }

    func write(_ line: String) {
        let bytes = Array(line.utf8)
        _ = writeAll(bytes, to: STDERR_FILENO)
        state.withLock { state in
            if state.file >= 0, state.size + bytes.count > Self.largest { rotate(&state) }
            if state.file < 0 { openFile(&state) }
            if state.file >= 0, writeAll(bytes, to: state.file) { state.size += bytes.count }
        }
    }

    private func openFile(_ state: inout State) {
        guard let directory = state.directory else { return }
        state.file = rouse_openat(directory.descriptor, SpoolLayout.Daemon.log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        state.size = state.file >= 0 ? Int(lseek(state.file, 0, SEEK_END)) : 0
    }

    private func rotate(_ state: inout State) {
        close(state.file)
        state.file = -1
        guard let directory = state.directory else { return }
        try? directory.rename(SpoolLayout.Daemon.log, to: directory, as: SpoolLayout.Daemon.log + ".1", replacing: true)
    }
}

/// Writes a line an entry: time, level, message and what goes with it.
struct DaemonLogHandler: LogHandler {
    let log: DaemonLog
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = "\(Timestamp.now) \(event.level) \(event.message)"
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(value)"
        }
        log.write(line.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n")
    }
}
