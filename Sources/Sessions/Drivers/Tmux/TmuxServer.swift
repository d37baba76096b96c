import CLinux
import Glibc
import SpoolFormat

/// The tmux server of one session: on a socket of its own in the session's directory, with nobody's configuration.
///
/// A socket's address holds 107 bytes, and a path can be longer. So tmux runs *in* that directory, and the address is
/// the file's name alone.
struct TmuxServer {
    private let directory: Directory
    /// The terminal, exactly: `=` keeps tmux from taking it for the beginning of another name, and `:` says that it is
    /// a session's name, of which its one pane is meant.
    let target: String
    /// The name of the one tmux session.
    let name: String

    /// - Parameter directory: the session's.
    init(in directory: Directory, session: String) {
        self.directory = directory
        name = Self.name(of: session)
        target = "=\(name):"
    }

    /// A session's name as tmux takes it.
    static func name(of session: String) -> String {
        String(session.map { $0 == "." || $0 == ":" ? "_" : $0 })
    }

    /// A command should be a matter of milliseconds; a server that hangs must not hang us. In milliseconds.
    private static let patience: Int64 = 20_000

    /// The part of a tmux command line that is always the same. `-u`, because what is not ASCII would be `_` else.
    static let options = ["tmux", "-u", "-f", "/dev/null", "-S", SpoolLayout.Session.tmuxSocket]

    /// Runs tmux commands.
    /// - Parameter commands: with `;` between them, as an argument of its own.
    /// - Returns: what they printed.
    @discardableResult
    func run(_ commands: [String], input: [UInt8] = []) throws(TurnFault) -> String {
        let files = (0..<3).map { _ in rouse_memfd_create("tmux") }
        defer { for file in files where file >= 0 { close(file) } }
        guard files.allSatisfy({ $0 >= 0 }), writeAll(input, to: files[0]), lseek(files[0], 0, SEEK_SET) == 0 else {
            throw TurnFault(SystemFault("make", "a file in memory for tmux"))
        }
        let pid: pid_t
        do throws(SystemFault) {
            pid = try Spawn(arguments: Self.options + commands, in: directory, files: files).start()
        } catch {
            throw TurnFault("no_tmux", "\(error.description); install tmux (3.2 or later), or set PATH in the agent's \"env\"")
        }
        guard let code = Spawn.wait(for: pid, milliseconds: Self.patience) else {
            throw TurnFault("tmux_hangs", "tmux does not answer in \(directory.path)", retryable: true)
        }
        guard code == 0 else {
            let message = Self.content(of: files[2]).split(separator: "\n").joined(separator: "; ")
            throw TurnFault("tmux_failed", "tmux \(commands.first ?? ""): \(message)", retryable: true)
        }
        return Self.content(of: files[1])
    }

    /// Ends the server, if there is one, and leaves no socket.
    func end() {
        _ = try? run(["kill-server"])
        removeSocket()
    }

    /// Nobody can reach the server from then on.
    func removeSocket() { try? directory.removeFile(SpoolLayout.Session.tmuxSocket) }

    private static func content(of file: Int32) -> String {
        let size = Int(lseek(file, 0, SEEK_END))
        let bytes = [UInt8](unsafeUninitializedCapacity: max(size, 0)) { buffer, count in
            count = max(0, pread(file, buffer.baseAddress, size, 0))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
