import Foundation
import Glibc

/// A directory for one test, removed with all that is in it when the test is over.
final class Scratch {
    let path: String

    /// - Parameter inMemory: For tests that make so many files that a disk would be what is tested.
    init(inMemory: Bool = false) {
        let parent = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/rouse-watch-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    subscript(_ name: String) -> String { path + "/" + name }

    /// Makes a directory and all above it, and gives its path.
    @discardableResult
    func directory(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: self[name], withIntermediateDirectories: true)
        return self[name]
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: self[name]) }

    func rename(_ name: String, to other: String) throws {
        guard Glibc.rename(self[name], self[other]) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    /// Writes a file in place, as an editor or a shell would.
    func write(_ name: String, _ content: String = "{}") {
        let descriptor = open(self[name], O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = content.withCString { Glibc.write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }

    /// Writes a file elsewhere and renames it in, as a careful program would.
    func drop(_ name: String) throws {
        write("outside")
        try rename("outside", to: name)
    }

    func link(_ name: String) {
        write("outside")
        _ = Glibc.link(self["outside"], self[name])
    }

    func contains(_ name: String) -> Bool { access(self[name], F_OK) == 0 }

    func count(_ name: String) -> Int {
        guard let directory = opendir(self[name]) else { return 0 }
        defer { closedir(directory) }
        var count = -2  // . and ..
        while readdir(directory) != nil { count += 1 }
        return count
    }
}
