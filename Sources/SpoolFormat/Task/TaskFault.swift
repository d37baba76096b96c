/// Why a task is not accepted: what is wrong, at which field, what was expected, and what to write instead.
public struct TaskFault: Error, Sendable, Equatable {
    /// A word for programs: `unknown_field`, `bad_value`, `already_running` …
    public var code: String
    public var message: String
    public var path: JSONPath
    /// The fault is the name of the field, not its value.
    public var isAtName: Bool
    public var expected: String?
    public var hint: String?

    public init(
        _ code: String, _ message: String, at path: JSONPath = JSONPath(), isAtName: Bool = false,
        expected: String? = nil, hint: String? = nil
    ) {
        self.code = code
        self.message = message
        self.path = path
        self.isAtName = isAtName
        self.expected = expected
        self.hint = hint
    }
}

/// The word of `candidates` that `word` was probably meant to be.
///
/// Damerau–Levenshtein distance (optimal string alignment): at most a third of the word may differ, and case and
/// hyphens count for nothing.
public func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let plain = normalised(word)
    guard !plain.isEmpty, plain.count <= 64 else { return nil }
    let best = candidates
        .map { (candidate: $0, distance: distance(plain, normalised($0))) }
        .min { $0.distance < $1.distance }
    guard let best, best.distance <= max(1, plain.count / 3) else { return nil }
    return best.candidate
}

private func normalised(_ word: String) -> [UInt8] {
    word.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
}

private func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var rows = [[Int]](repeating: [Int](repeating: 0, count: right.count + 1), count: left.count + 1)
    for i in 0...left.count { rows[i][0] = i }
    for j in 0...right.count { rows[0][j] = j }
    for i in left.indices {
        for j in right.indices {
            let substitution = rows[i][j] + (left[i] == right[j] ? 0 : 1)
            var best = min(substitution, rows[i][j + 1] + 1, rows[i + 1][j] + 1)
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, rows[i - 1][j - 1] + 1) }
            rows[i + 1][j + 1] = best
        }
    }
    return rows[left.count][right.count]
}
