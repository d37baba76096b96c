/// `state.json`: why a job waits and what is known of its past. It is there only while there is something to say.
public struct StateRecord: Sendable, Equatable {
    /// Why a job is in `waiting/`.
    public enum Reason: String, Sendable, CaseIterable {
        /// `not_before` or `delay` has not come.
        case delay
        /// Jobs of `after` are not finished.
        case after
        /// Another unfinished job holds the key.
        case key
        /// The last attempt failed; the next one comes later.
        case backoff
        /// Somebody said `hold`.
        case hold
    }

    public var reason: Reason?
    /// When the reason ends by itself.
    public var until: Timestamp?
    /// Ids, keys or the job that are waited for.
    public var waitsFor: [String]
    /// Of these, the ones that no job is known by.
    public var missing: [String]
    /// Attempts that have begun and are over.
    public var attempts: Int
    /// Of these, the ones whose runner was lost.
    public var lost: Int
    /// Failures that count against `retries`; a retry by hand begins anew.
    public var failures: Int
    /// Somebody wants it run again: its dependencies, its start and its expiry no longer count.
    public var isRetried: Bool
    /// The last control job that had it run again, with its time: one that is carried out a second time after a crash
    /// finds that this is done.
    public var againBy: String?
    /// Beside the reason, which is `hold` only where there is no other.
    public var isHeld: Bool
    /// Who holds it: the id of the control job.
    public var heldBy: String?
    /// When it began to wait for what is missing.
    public var since: Timestamp?
    /// Why the attempt that runs is being ended, so that the next daemon knows it too.
    public var ending: Ending?

    public enum Ending: String, Sendable, CaseIterable {
        case cancelled, superseded, recovered, retried
    }

    public init(reason: Reason? = nil, until: Timestamp? = nil, waitsFor: [String] = [], missing: [String] = [], attempts: Int = 0, lost: Int = 0, failures: Int = 0, isRetried: Bool = false, againBy: String? = nil, isHeld: Bool = false, heldBy: String? = nil, since: Timestamp? = nil, ending: Ending? = nil) {
        self.reason = reason
        self.until = until
        self.waitsFor = waitsFor
        self.missing = missing
        self.attempts = attempts
        self.lost = lost
        self.failures = failures
        self.isRetried = isRetried
        self.againBy = againBy
        self.isHeld = isHeld
        self.heldBy = heldBy
        self.since = since
        self.ending = ending
    }

    /// Whether there is nothing to say.
    public var isEmpty: Bool { self == StateRecord() }

    public var json: JSON {
        var object = JSONObject()
        object["reason"] = .optional(reason?.rawValue)
        object["until"] = .optional(until?.description)
        object["waits_for"] = waitsFor.isEmpty ? nil : .array(waitsFor.map(JSON.string))
        object["missing"] = missing.isEmpty ? nil : .array(missing.map(JSON.string))
        object["since"] = .optional(since?.description)
        object["retried"] = isRetried ? true : nil
        object["again_by"] = .optional(againBy)
        object["held"] = isHeld ? true : nil
        object["held_by"] = .optional(heldBy)
        object["ending"] = .optional(ending?.rawValue)
        object["attempts"] = attempts == 0 ? nil : .number(attempts)
        object["failures"] = failures == 0 ? nil : .number(failures)
        object["lost"] = lost == 0 ? nil : .number(lost)
        return .object(object)
    }

    public init?(_ value: JSON) {
        guard let object = value.object else { return nil }
        self.init(
            reason: object["reason"]?.string.flatMap(Reason.init),
            until: object["until"]?.string.flatMap(Timestamp.init),
            waitsFor: object["waits_for"]?.array?.compactMap(\.string) ?? [],
            missing: object["missing"]?.array?.compactMap(\.string) ?? [],
            attempts: object["attempts"]?.int ?? 0, lost: object["lost"]?.int ?? 0,
            failures: object["failures"]?.int ?? 0, isRetried: object["retried"]?.bool ?? false,
            againBy: object["again_by"]?.string, isHeld: object["held"]?.bool ?? false,
            heldBy: object["held_by"]?.string, since: object["since"]?.string.flatMap(Timestamp.init),
            ending: object["ending"]?.string.flatMap(Ending.init))
    }
}
