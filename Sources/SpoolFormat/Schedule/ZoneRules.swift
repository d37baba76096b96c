/// How far the local time of a place is from UTC, at every instant.
///
/// A value, read once: nothing process-wide (`tzset`, `localtime`) is involved, so several zones can be in use at
/// once on any thread, and a change of the database has no effect on a value already read.
public struct ZoneRules: Sendable, Hashable, CustomStringConvertible {
    /// The zone's name in the time zone database, or what stood in `TZ`.
    public let name: String

    /// Seconds since the Unix epoch at which the offset changes, ascending.
    private let transitions: [Int64]
    /// Seconds east of UTC: before the first transition, and from each transition on.
    private let offsets: [Int64]
    /// What holds from the last transition on; without it, the last offset does.
    private let footer: PosixZoneRule?

    /// Time without changes, `offset` seconds east of UTC.
    init(name: String, offset: Int64) { self.init(name: name, transitions: [], offsets: [offset], footer: nil) }

    /// - Parameter offsets: one more than there are transitions.
    init(name: String, transitions: [Int64], offsets: [Int64], footer: PosixZoneRule?) {
        self.name = name
        self.transitions = transitions
        self.offsets = offsets
        self.footer = footer
    }

    /// Coordinated Universal Time. Needs no database.
    public static let utc = ZoneRules(name: "UTC", offset: 0)

    public var description: String { name }

    /// Seconds that local time is ahead of UTC at `instant` (milliseconds since the Unix epoch); negative west of
    /// Greenwich.
    public func offset(at instant: Int64) -> Int64 { segment(at: instant.floored(by: 1000).quotient).offset }

    /// The instants, in milliseconds since the Unix epoch and ascending, at which clocks show this local time: one as a
    /// rule, none in the gap when clocks go forward, two when they go back.
    public func instants(of date: CivilDate, hour: Int, minute: Int, second: Int = 0) -> [Int64] {
        let local = date.daysSinceEpoch * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        var instants: [Int64] = []
        var segment = segment(at: local - Self.offsetBound)
        while true {
            let candidate = local - segment.offset
            if segment.start <= candidate, candidate < segment.end { instants.append(candidate * 1000) }
            guard segment.end <= local + Self.offsetBound else { return instants }
            segment = self.segment(at: segment.end)
        }
    }

    /// RFC 9636 §3.2 wants offsets between -25 and +26 hours.
    static let offsetBound: Int64 = 26 * 3600

    /// A span of time with one offset; all in seconds.
    struct Segment {
        /// The first second since the Unix epoch that belongs to it.
        var start: Int64
        /// The first that no longer does.
        var end: Int64
        /// East of UTC.
        var offset: Int64
    }

    /// The segment that `second` (since the Unix epoch) lies in.
    func segment(at second: Int64) -> Segment {
        let lastTransition = transitions.last ?? .min
        if let footer, second >= lastTransition {
            var segment = footer.segment(at: second)
            segment.start = max(segment.start, lastTransition)
            return segment
        }
        // The number of transitions that are not after `second`.
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= second { low = middle + 1 } else { high = middle }
        }
        return Segment(
            start: low == 0 ? .min : transitions[low - 1],
            end: low == transitions.count ? .max : transitions[low],
            offset: offsets[low])
    }

    /// The first second since the Unix epoch at which the local clock shows `local` or later.
    ///
    /// A skipped local time gives the end of the gap, a repeated one its first pass. Never decreases as `local` grows.
    /// - Parameter local: local seconds, counted as if local time were UTC.
    func firstInstant(reaching local: Int64) -> Int64 {
        // No offset is large enough for `local` to be shown before this.
        var from = local - Self.offsetBound
        while true {
            let segment = segment(at: from)
            let reached = max(from, local - segment.offset)
            if reached < segment.end { return reached }
            from = segment.end
        }
    }
}
