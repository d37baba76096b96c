/// When something happens again and again.
///
/// Instants are milliseconds since the Unix epoch. Firings are a function of the recurrence alone: they do not depend
/// on when anybody began to look, so a daemon that was down finds out which ones it missed by asking from the last one
/// that it knows.
public enum Recurrence: Sendable, Hashable {
    /// At the local times of a zone that an expression names.
    case cron(CronExpression, ZoneRules)

    /// At `anchor`, and at every multiple of `milliseconds` before and after it, whatever clocks on walls do. The
    /// Unix epoch as anchor puts "every 15 minutes" on the quarter hours of UTC. Without a positive length there are no
    /// firings.
    case every(milliseconds: Int64, anchor: Int64 = 0)

    /// The first firing later than `instant`; `nil` when there is none.
    public func next(after instant: Int64) -> Int64? {
        switch self {
        case .cron(let expression, let zone):
            return expression.next(after: instant, in: zone)
        case .every(let length, let anchor):
            guard length > 0 else { return nil }
            // Both remainders are below `length`, so their difference cannot overflow as `instant - anchor` could.
            let late = instant.floored(by: length).remainder - anchor.floored(by: length).remainder
            let (next, overflow) = instant.addingReportingOverflow(length - (late < 0 ? late + length : late))
            return overflow ? nil : next
        }
    }

    /// The last firing later than `start` and not later than `end`.
    public func last(after start: Int64, through end: Int64) -> Int64? {
        // Looked for from the end, in spans that double: few firings are passed over, however far away `start` is.
        var length: Int64 = 60_000
        while true {
            let (from, overflow) = end.subtractingReportingOverflow(length)
            var last: Int64?
            var at = overflow ? start : max(start, from)
            let isWhole = at == start
            while let next = next(after: at), next <= end { (last, at) = (next, next) }
            if isWhole || last != nil { return last }
            length *= 2
        }
    }

    /// The firings later than `start` and not later than `end`, in order, and at most the first `limit` of them.
    public func firings(after start: Int64, through end: Int64, limit: Int) -> [Int64] {
        var firings: [Int64] = []
        var last = start
        while firings.count < limit, let next = next(after: last), next <= end {
            firings.append(next)
            last = next
        }
        return firings
    }
}
