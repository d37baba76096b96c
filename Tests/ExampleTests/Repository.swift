import SpoolFormat
import Testing
import TestSupport

/// The files of this repository that its users read and copy.
enum Repository {
    static let path = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")

    static func text(_ name: String) throws -> String {
        let file = try #require(try Directory(path).read(name), "there is no \(name)")
        return String(decoding: file.bytes, as: UTF8.self)
    }

    static func json(_ name: String) throws -> JSON { try JSONReader.read(Array(text(name).utf8)) }

    /// The names of JSON files in a folder of `examples/`, without the ending, sorted.
    static func examples(_ folder: String) throws -> [String] {
        let names = try Directory(path + "/examples/" + folder).entries().map(\.name.display)
        return names.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }
}

/// An empty directory for a test, removed with everything in it when the last reference goes.
final class Scratch {
    let path: String
    /// What runs there does so with the programs under test first in `PATH`, and without the user's settings.
    private let environment: [String: String]

    init(in spool: TestSpool, _ name: String) throws {
        path = spool.path + "/" + name
        try Directory(spool.path).makeDirectory(name)
        environment = [
            "HOME": path, "PATH": Programs.directory + ":/usr/local/bin:/usr/bin:/bin", "ROUSE_SPOOL": spool.path,
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": spool.path,
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "C",
            "GIT_COMMITTER_EMAIL": "c@example.org", "NO_COLOR": "1",
        ]
    }

    /// Runs a shell script there.
    @discardableResult
    func sh(_ script: String, in directory: String? = nil, _ changes: [String: String] = [:]) -> (code: Int, output: String) {
        Programs.run(["/bin/sh", "-euc", script], environment: environment.merging(changes) { $1 }, directory: directory ?? path)
    }
}
