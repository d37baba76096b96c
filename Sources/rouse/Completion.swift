import ArgumentParser
import SpoolFormat

extension CompletionKind {
    /// Ids of the jobs of the spool that the words so far name.
    static var jobIDs: CompletionKind {
        .custom { words, _, prefix in
            var option = SpoolOption()
            if let index = words.firstIndex(of: "--spool"), index + 1 < words.count { option.spool = words[index + 1] }
            else { option.spool = nil }
            guard let spool = try? option.open() else { return [] }
            let names = JobState.allCases.flatMap { (try? spool.directory($0.rawValue)?.jobIDs()) ?? [] }
            return Array(names.map(\.text).filter { $0.hasPrefix(prefix) }.sorted().prefix(200))
        }
    }
}
