import Glibc
import SpoolFormat

/// `fs/read_text_file` and `fs/write_text_file`: files below the session's working directory, and no others. Links are
/// followed as long as they stay there.
struct FileAccess {
    private let root: String

    /// Bytes.
    private static let largest = 16 << 20

    init(below cwd: String) { root = Self.canonical(cwd) ?? cwd }

    func read(_ params: JSON) throws(RPCError) -> JSON {
        let (directory, name) = try place(params, making: false)
        do throws(SystemFault) {
            guard let (bytes, status) = try directory.read(name, limit: Self.largest) else { throw SystemFault("open", directory.path + "/" + name, errno: ENOENT) }
            guard status.kind == .file else { throw SystemFault("read", directory.path + "/" + name, errno: EINVAL) }
            guard bytes.count <= Self.largest else { throw SystemFault("read", directory.path + "/" + name, errno: EFBIG) }
            return ["content": .string(Self.lines(of: bytes, from: params["line"]?.int, limit: params["limit"]?.int))]
        } catch { throw RPCError(error.isMissing ? RPCError.notFound : RPCError.internalError, error.description) }
    }

    func write(_ params: JSON) throws(RPCError) -> JSON {
        guard let content = params["content"]?.string else { throw RPCError(RPCError.badParameters, "\"content\" is missing") }
        let (directory, name) = try place(params, making: true)
        do throws(SystemFault) {
            // A FIFO would be waited for.
            if let status = try directory.status(name), status.kind != .file {
                throw SystemFault("write", directory.path + "/" + name, errno: status.kind == .symbolicLink ? ELOOP : EINVAL)
            }
            try directory.write(Array(content.utf8), to: name, mode: 0o666)
            return .object(JSONObject())
        } catch { throw RPCError(RPCError.internalError, error.description) }
    }

    /// The lines from `first` (from 1) on, at most `limit`.
    private static func lines(of bytes: [UInt8], from first: Int?, limit: Int?) -> String {
        let start = max(first ?? 1, 1) - 1
        guard start > 0 || limit != nil else { return String(decoding: bytes, as: UTF8.self) }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropFirst(start).prefix(max(limit ?? .max, 0))
        return String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
    }

    /// The directory of the file that `params` names, reached by a way without links, and its name there.
    private func place(_ params: JSON, making isMaking: Bool) throws(RPCError) -> (Directory, String) {
        guard let path = params["path"]?.string, path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw RPCError(RPCError.badParameters, "\"path\" is not an absolute path")
        }
        var steps = try steps(to: path)
        let name = steps.removeLast()
        do throws(SystemFault) {
            var directory = try Directory(root)
            for step in steps {
                directory = isMaking ? try directory.directory(makingIfMissing: step, mode: 0o777) : try directory.directory(step)
            }
            return (directory, name)
        } catch { throw RPCError(error.isMissing ? RPCError.notFound : RPCError.internalError, error.description) }
    }

    /// The names from the root to the file, all links in them resolved as far as there is something.
    private func steps(to path: String) throws(RPCError) -> [String] {
        var existing = path
        var missing: [String] = []
        var resolved = Self.canonical(existing)
        while resolved == nil, let slash = existing.lastIndex(of: "/") {
            missing.insert(String(existing[existing.index(after: slash)...]), at: 0)
            existing = String(existing[..<slash])
            resolved = Self.canonical(existing.isEmpty ? "/" : existing)
        }
        let steps = ((resolved ?? "/").split(separator: "/").map(String.init)) + missing.filter { !$0.isEmpty && $0 != "." }
        let base = root.split(separator: "/").map(String.init)
        guard steps.starts(with: base), steps.count > base.count, !missing.contains("..") else {
            throw RPCError(RPCError.badParameters, "\(path) is not a file below the session's directory \(root)")
        }
        return Array(steps.dropFirst(base.count))
    }

    private static func canonical(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
