import Glibc

extension ZoneRules {
    /// The zone with an IANA name such as `Europe/Berlin`, from the system's time zone database: `$TZDIR`, or
    /// `/usr/share/zoneinfo`. `UTC` needs no database; `local` is `local()`.
    /// - Throws: `ZoneFault`, with a suggestion when the name is much like that of a zone.
    public static func named(_ name: String) throws(ZoneFault) -> ZoneRules {
        switch name {
        case "UTC": return .utc
        case "local": return try local()
        default: return try ZoneDatabase.system.zone(name)
        }
    }

    /// The zone that the machine, or the environment variable `TZ`, is set to.
    ///
    /// `TZ` is understood as glibc does (tzset(3)): a name, an absolute path or a POSIX rule, each with or without a
    /// colon before it, and empty for UTC. A `TZ` that means nothing is an error here, not silently UTC. Without
    /// `TZ` it is `/etc/localtime`, and UTC if there is none.
    /// - Throws: `ZoneFault`.
    public static func local() throws(ZoneFault) -> ZoneRules {
        try ZoneDatabase.system.local(tz: getenv("TZ").map { String(cString: $0) })
    }
}

/// A directory of compiled time zones.
struct ZoneDatabase {
    /// Without a slash at its end.
    let directory: String

    static var system: ZoneDatabase {
        let set = getenv("TZDIR").map { String(cString: $0) } ?? ""
        return ZoneDatabase(directory: set.isEmpty ? "/usr/share/zoneinfo" : set)
    }

    func zone(_ name: String) throws(ZoneFault) -> ZoneRules {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = !name.utf8.contains(0) && parts.allSatisfy { !["", ".", ".."].contains(String($0)) }
        guard isPlain else { throw ZoneFault(.badName, name, expected: "a name such as UTC or Europe/Berlin") }
        switch Self.contents(of: directory + "/" + name) {
        case .success(let bytes):
            return try ZoneRules(name: name, tzif: bytes)
        case .failure(let error) where [ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG].contains(error.number):
            guard access(directory, F_OK) == 0 else {
                throw ZoneFault(.noDatabase, name, expected: "a time zone database (tzdata) in \(directory), or UTC")
            }
            throw ZoneFault(
                .unknown, name, expected: "a name from the time zone database in \(directory)",
                suggestion: ZoneNames.nearest(to: name, in: directory))
        case .failure(let error):
            throw ZoneFault(.unreadable, name, expected: "a readable file in \(directory) (\(error))")
        }
    }

    /// - Parameter tz: the value of the environment variable `TZ`.
    func local(tz: String?, localtime: String = "/etc/localtime") throws(ZoneFault) -> ZoneRules {
        guard let tz else { return try file(localtime, missing: .utc) }
        let value = String(tz.drop { $0 == ":" })
        if value.isEmpty || value == "UTC" { return .utc }
        if value.hasPrefix("/") { return try file(value, missing: nil) }
        do throws(ZoneFault) {
            return try zone(value)
        } catch {
            guard let rule = PosixZoneRule(value.utf8) else { throw error }
            return ZoneRules(name: value, transitions: [], offsets: [rule.standard], footer: rule)
        }
    }

    /// The zone in a file that is named by its path.
    private func file(_ path: String, missing: ZoneRules?) throws(ZoneFault) -> ZoneRules {
        switch Self.contents(of: path) {
        case .success(let bytes): return try ZoneRules(name: name(ofFile: path), tzif: bytes)
        case .failure(let error):
            if error.number == ENOENT, let missing { return missing }
            throw ZoneFault(.unreadable, path, expected: "a readable time zone file (\(error))")
        }
    }

    /// What the zone is called if the file is, or points to, one of the database; else the path.
    private func name(ofFile path: String) -> String {
        func resolved(_ path: String) -> String? {
            guard let pointer = realpath(path, nil) else { return nil }
            defer { free(pointer) }
            return String(cString: pointer)
        }
        guard let target = resolved(path), let base = resolved(directory), target.hasPrefix(base + "/") else {
            return path
        }
        return String(target.dropFirst(base.count + 1))
    }

    private struct SystemError: Error, CustomStringConvertible {
        let number: Int32
        var description: String { String(cString: strerror(number)) }
    }

    /// Zone files are a few kilobytes; what is larger than 1 MiB is none, and comes back cut off.
    private static func contents(of path: String) -> Result<[UInt8], SystemError> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return .failure(SystemError(number: errno)) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(SystemError(number: errno)) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return .success(bytes)
    }
}
