import Glibc

/// The names of a time zone database; looked at only to help with a name that is wrong.
enum ZoneNames {
    /// The zone that somebody who wrote `name` most likely meant; `nil` when no name comes near.
    static func nearest(to name: String, in directory: String) -> String? {
        let wanted = Array(name.lowercased().utf8)
        var best: (name: String, distance: Int)?
        for candidate in all(in: directory) {
            guard let distance = distance(from: wanted, to: Array(candidate.lowercased().utf8)) else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// 0 for the same name but for its case, 1 for the place without its region ("berlin"), more for misspellings.
    private static func distance(from wanted: [UInt8], to name: [UInt8]) -> Int? {
        if name == wanted { return 0 }
        if name.reversed().starts(with: wanted.reversed() + [UInt8(ascii: "/")]) { return 1 }
        let edits = editDistance(wanted, name)
        return edits <= (wanted.count < 6 ? 1 : 2) ? 1 + edits : nil
    }

    /// Every zone's name, sorted. Zones, and the regions they are in, begin with a capital; other files do not.
    private static func all(in directory: String) -> [String] {
        var names: [String] = []
        var prefixes = [""]
        while let prefix = prefixes.popLast() {
            guard let stream = opendir(directory + "/" + prefix) else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard let first = name.utf8.first, (0x41...0x5A).contains(first) else { continue }
                if entry.pointee.d_type == UInt8(DT_DIR) {
                    prefixes.append(prefix + name + "/")
                } else {
                    names.append(prefix + name)
                }
            }
        }
        return names.sorted()
    }

    /// Levenshtein's distance: insertions, deletions and replacements of single bytes.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        // Too far apart in length to be of interest, whatever they hold.
        if abs(a.count - b.count) > 2 { return .max }
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
