import CInotifyTools

/// What in a directory is worth a hint beyond an arrival.
///
/// An arrival is always: a file renamed into the directory, linked into it, or written in it and closed.
public struct WatchInterest: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Each write to a file in the directory, for following a log. Many events: ask only while somebody reads.
    public static let writes = WatchInterest(rawValue: 1)
    /// A file deleted from the directory or renamed out of it.
    public static let departures = WatchInterest(rawValue: 2)
    /// Mode, owner, times or the number of links changed, of the directory or of a file in it.
    public static let attributes = WatchInterest(rawValue: 4)

    /// The events that give a hint. `rename` gives MOVED_TO, `ln` only CREATE, writing in place CREATE and later
    /// CLOSE_WRITE: none of the three can be left out.
    var events: UInt32 {
        var events = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE
        if contains(.writes) { events |= IN_MODIFY }
        if contains(.departures) { events |= IN_MOVED_FROM | IN_DELETE }
        if contains(.attributes) { events |= IN_ATTRIB }
        return UInt32(events)
    }
}
