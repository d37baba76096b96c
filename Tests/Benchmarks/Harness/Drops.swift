import Glibc
import SpoolFormat

/// Task files that lie beside the spool, ready to be renamed into an inbox.
struct Drops {
    let directory: Directory
    let names: [String]

    /// Writes `count` tasks, each of which runs `arguments`.
    init(_ count: Int, in directory: Directory, prefix: String = "j", running arguments: (Int) -> [String]) throws {
        self.directory = directory
        names = (0..<count).map { "\(prefix)\($0).json" }
        for (index, name) in names.enumerated() { try directory.write(Self.task(arguments(index)), to: name) }
    }

    /// Renames one into `inbox`.
    func drop(_ index: Int, into inbox: Directory) throws {
        try directory.rename(names[index], to: inbox, as: names[index], replacing: true)
    }

    func dropAll(into inbox: Directory) throws { for index in names.indices { try drop(index, into: inbox) } }

    static func task(_ arguments: [String]) -> [UInt8] {
        JSONWriter.write(["run": .array(arguments.map(JSON.string))])
    }
}
