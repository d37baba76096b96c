import ArgumentParser
import SpoolFormat

extension CompletionKind {
    /// Names of the sessions of the spool that the words so far name.
    static var sessionNames: CompletionKind {
        .custom { words, _, prefix in
            guard let spool = spool(of: words) else { return [] }
            return SessionFiles.names(in: spool).filter { $0.hasPrefix(prefix) }
        }
    }

    private static func spool(of words: [String]) -> SpoolDirectory? {
        var option = SpoolOption()
        if let index = words.firstIndex(of: "--spool"), index + 1 < words.count { option.spool = words[index + 1] } else { option.spool = nil }
        return try? option.open()
    }

    /// Ids of the jobs of the spool that the words so far name.
    static var jobIDs: CompletionKind {
        .custom { words, _, prefix in
            guard let spool = spool(of: words) else { return [] }
            let names = JobState.allCases.flatMap { (try? spool.directory($0.rawValue)?.jobIDs()) ?? [] }
            return Array(names.map(\.text).filter { $0.hasPrefix(prefix) }.sorted().prefix(200))
        }
    }
}
