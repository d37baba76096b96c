import CLinux
import Glibc
import SpoolFormat

/// The terminal methods: programs that the agent has run here. They end with the turn.
final class Terminals {
    private final class Terminal {
        let child: ChildProcess
        let output: Source
        var kept: OutputBuffer
        /// Requests that wait for its end.
        var waiting: [JSON] = []
        var ladder: Ladder?

        init(_ child: ChildProcess, _ output: Source, limit: Int?) {
            self.child = child
            self.output = output
            kept = OutputBuffer(limit: limit)
        }

        var exitStatus: JSON? {
            switch child.ending {
            case nil: nil
            case .exited(let code): ["exitCode": .number(code), "signal": .null]
            case .signal(let number): ["exitCode": .null, "signal": .string(sigabbrev_np(Int32(number)).map { "SIG" + String(cString: $0) } ?? String(number))]
            }
        }
    }

    private let children: Children
    private let cwd: String
    private var terminals: [String: Terminal] = [:]
    /// Programs that were released, and have not ended yet.
    private var released: [Terminal] = []
    private var count = 0

    private static let most = 64
    /// Milliseconds from SIGTERM to SIGKILL.
    private static let patience: Int64 = 2000

    init(_ children: Children, cwd: String) {
        self.children = children
        self.cwd = cwd
    }

    var reading: [Int32] { (Array(terminals.values) + released).filter { !$0.output.isAtEnd }.map(\.output.descriptor) }
    /// By `Monotonic`, when there is something to do without anything having happened.
    var next: Int64? { (Array(terminals.values) + released).compactMap { $0.ladder?.next }.min() }

    // MARK: the methods

    func create(_ params: JSON) throws(RPCError) -> JSON {
        guard let command = params["command"]?.string, !command.isEmpty else { throw RPCError(RPCError.badParameters, "\"command\" is missing") }
        guard terminals.count < Self.most else { throw RPCError(RPCError.internalError, "there are \(Self.most) terminals; release one") }
        let arguments = [command] + (params["args"]?.array ?? []).compactMap(\.string)
        let directory = params["cwd"]?.string ?? cwd
        guard directory.hasPrefix("/") else { throw RPCError(RPCError.badParameters, "\"cwd\" is not an absolute path") }
        var environment: [String: String] = [:]
        for entry in params["env"]?.array ?? [] {
            guard let name = entry["name"]?.string, let value = entry["value"]?.string, !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else { continue }
            environment[name] = value
        }
        guard (arguments + environment.flatMap { [$0, $1] }).allSatisfy({ !$0.utf8.contains(0) }) else {
            throw RPCError(RPCError.badParameters, "an argument or a variable contains a NUL")
        }
        do throws(TurnFault) {
            let (source, theirs) = try Source.pipe()
            defer { close(theirs) }
            let child = try children.start(
                arguments, in: directory, ChildProcess.Streams(input: nil, output: theirs, error: theirs), environment: environment)
            count += 1
            let id = "terminal-\(child.pid)-\(count)"
            terminals[id] = Terminal(child, source, limit: params["outputByteLimit"]?.int)
            return ["terminalId": .string(id)]
        } catch { throw RPCError(RPCError.internalError, error.error.message) }
    }

    func output(_ params: JSON) throws(RPCError) -> JSON {
        let terminal = try find(params)
        hear(terminal)
        var object: JSONObject = ["output": .string(terminal.kept.text), "truncated": .bool(terminal.kept.isTruncated)]
        object["exitStatus"] = terminal.exitStatus
        return .object(object)
    }

    /// - Returns: `nil` where it has not ended; `advance` answers the request later.
    func waitForExit(_ params: JSON, id: JSON) throws(RPCError) -> JSON? {
        let terminal = try find(params)
        if let status = terminal.exitStatus { return status }
        terminal.waiting.append(id)
        return nil
    }

    func kill(_ params: JSON) throws(RPCError) -> JSON {
        let terminal = try find(params)
        end(terminal)
        return .object(JSONObject())
    }

    func release(_ params: JSON) throws(RPCError) -> JSON {
        let terminal = try find(params)
        terminals[params["terminalId"]?.string ?? ""] = nil
        end(terminal)
        if terminal.ladder != nil { released.append(terminal) }
        return .object(JSONObject())
    }

    // MARK: as time goes by

    /// Hears the programs, ends those that are to end, and answers who waits for an end.
    func advance(_ answer: (_ id: JSON, _ status: JSON) -> Void) {
        children.reap()
        for terminal in Array(terminals.values) + released {
            hear(terminal)
            if terminal.child.ending != nil { terminal.ladder = nil }
            terminal.ladder?.climb { children.send($0, to: terminal.child) }
            guard let status = terminal.exitStatus else { continue }
            for id in terminal.waiting { answer(id, status) }
            terminal.waiting = []
        }
        released.removeAll { $0.child.ending != nil }
    }

    private func hear(_ terminal: Terminal) {
        // Not more than the pipe can hold, so that one that floods holds up nobody.
        for _ in 0..<16 {
            guard let bytes = terminal.output.read() else { return }
            terminal.kept.append(bytes)
        }
    }

    private func end(_ terminal: Terminal) {
        guard terminal.child.ending == nil, terminal.ladder == nil else { return }
        terminal.ladder = Ladder([(0, SIGTERM), (Self.patience, SIGKILL)])
        terminal.ladder?.climb { children.send($0, to: terminal.child) }
    }

    private func find(_ params: JSON) throws(RPCError) -> Terminal {
        guard let terminal = params["terminalId"]?.string.flatMap({ terminals[$0] }) else {
            throw RPCError(RPCError.notFound, "there is no terminal \(params["terminalId"]?.string ?? "without a \"terminalId\"")")
        }
        return terminal
    }
}
