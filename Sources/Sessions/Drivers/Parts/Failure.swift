import SpoolFormat

/// Sorts what an agent says went wrong: a word for programs, and whether trying again may help.
enum Failure {
    /// - Parameters:
    ///   - status: the HTTP status of the model's answer, where the agent tells it.
    ///   - message: what went wrong.
    ///   - words: what the agent says, where the message says more than that.
    static func classify(status: Int?, message: String, saying words: String? = nil, retryable: Bool = false) -> ErrorRecord {
        let (code, helps) = byStatus(status) ?? byWords(words ?? message) ?? ("agent_failed", false)
        return ErrorRecord(code, message, retryable: retryable || helps)
    }

    private static func byStatus(_ status: Int?) -> (String, Bool)? {
        switch status {
        case 401, 403: ("authentication_required", false)
        case 408: ("network", true)
        case 429: ("rate_limited", true)
        case 503, 529: ("overloaded", true)
        case let status? where (500...599).contains(status): ("model_failed", true)
        default: nil
        }
    }

    /// For agents that tell no status. Only what an agent gives as its error is searched, never what it answers.
    private static let words: [(code: String, retryable: Bool, words: [String])] = [
        ("rate_limited", true, ["rate limit", "rate_limit", "ratelimit", "too many requests", "status 429", "error 429", "usage limit"]),
        ("overloaded", true, ["overloaded", "over capacity", "status 529", "status 503", "service unavailable"]),
        ("network", true, ["connection refused", "connection reset", "connection error", "network error", "timed out", "stream disconnected", "could not resolve", "econnrefused", "econnreset", "etimedout"]),
        ("model_failed", true, ["internal server error", "status 500", "status 502", "bad gateway"]),
        ("authentication_required", false, ["unauthorized", "authentication required", "auth_required", "invalid api key", "not logged in", "please log in", "please run /login"]),
    ]

    private static func byWords(_ message: String) -> (String, Bool)? {
        let message = message.prefix(10_000).lowercased()
        return words.first { $0.words.contains { message.contains($0) } }.map { ($0.code, $0.retryable) } ?? byStatus(status(in: message))
    }

    /// A status with which a line begins, perhaps after "error:" or "error code:".
    private static func status(in message: String) -> Int? {
        message.split(separator: "\n").lazy.compactMap { line -> Int? in
            let number = line.split(separator: " ").first { !["error:", "api", "error", "code:"].contains($0) }?.prefix { $0.isNumber }
            return number.flatMap { Int($0) }
        }.first { byStatus($0) != nil }
    }
}
