import CLinux
import Glibc
import SpoolFormat

/// `sessions/<name>/agent.sock`: where a turn gets the descriptors of an agent that stays. Whoever is connected has the
/// agent for himself, until he is gone.
enum AgentSocket {
    private static let longest = 4096

    /// Listens, in the place of a socket that nobody listens at any more.
    static func listen(in session: Directory) throws(TurnFault) -> Int32 {
        let name = SpoolLayout.Session.agentSocket
        let probe = try make()
        defer { close(probe) }
        // A full backlog is somebody too.
        if rouse_connect_at(probe, session.descriptor, name) == 0 || errno == EAGAIN {
            throw TurnFault("agent_is_kept", "another process keeps the agent of this session: it listens at \(session.path)/\(name)", retryable: true)
        }
        do throws(SystemFault) { try session.removeFile(name) } catch { throw TurnFault(error) }
        let socket = try make()
        guard rouse_listen_at(socket, session.descriptor, name) == 0 else {
            let fault = SystemFault("listen at", session.path + "/" + name)
            close(socket)
            throw TurnFault(fault)
        }
        return socket
    }

    /// - Returns: `nil` where nobody listens, or where too many wait.
    static func connect(in session: Directory) throws(TurnFault) -> Int32? {
        let socket = try make()
        if rouse_connect_at(socket, session.descriptor, SpoolLayout.Session.agentSocket) == 0 { return socket }
        close(socket)
        return nil
    }

    /// Hands over the agent's standard input and output, and says which process it is.
    static func give(_ agent: ProcessIdentity, input: Int32, output: Int32, to client: Int32) -> Bool {
        let bytes = JSONWriter.write(agent.json, .line)
        return rouse_send_two(client, bytes, bytes.count, [input, output]) == bytes.count
    }

    /// What was handed over.
    enum Gift {
        case agent(ProcessIdentity, input: Int32, output: Int32)
        /// Somebody else has it still.
        case notYet
        /// The keeper is gone.
        case closed
    }

    static func take(from keeper: Int32) -> Gift {
        var descriptors: [Int32] = [-1, -1]
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: longest) { buffer, filled in
            count = rouse_receive_two(keeper, buffer.baseAddress!, longest, &descriptors)
            filled = max(count, 0)
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return .notYet }
        guard count > 0, descriptors[0] >= 0, let identity = AgentJSON.read(bytes).flatMap(ProcessIdentity.init) else { return .closed }
        return .agent(identity, input: descriptors[0], output: descriptors[1])
    }

    private static func make() throws(TurnFault) -> Int32 {
        let socket = rouse_packet_socket()
        guard socket >= 0 else { throw TurnFault(SystemFault("make", "a socket")) }
        return socket
    }
}
