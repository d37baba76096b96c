public import SpoolFormat

extension JobRow {

    /// When the job needs a look by itself: its wait ends, or it expires before its start.
    public var dueAt: Timestamp? {
        switch state {
        case .waiting: [until, expiresAt].compactMap(\.self).min()
        case .queued: expiresAt
        case .running, .done, .failed: nil
        }
    }

    /// When a finished job ended. A result that can't be read says nothing of it; such a job ages from its acceptance,
    /// so that it does not stay for ever.
    var endedAt: Timestamp? { state.isFinished ? finishedAt ?? acceptedAt : nil }
}

/// Names in the index are equal when their bytes are, as in the file system: `String` compares what they look like.
func sameBytes(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
func sameBytes(_ left: String?, _ right: String?) -> Bool {
    switch (left, right) {
    case (nil, nil): true
    case (let left?, let right?): sameBytes(left, right)
    default: false
    }
}
func bytesPrecede(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

extension JobState {
    static let unfinished: Set<JobState> = [.waiting, .queued, .running]
}
