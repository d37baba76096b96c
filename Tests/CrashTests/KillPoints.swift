import Testing

/// The points at which a daemon is killed: at every call of a kind that a scenario makes, where there is time; otherwise
/// at some of them, from anywhere on.
enum KillPoints {
    /// - Parameters:
    ///   - most: so many calls are tried at most, for a scenario that never comes through unharmed.
    ///   - play: plays the scenario with a daemon that is killed at its call of that number. Gives how often it was.
    static func walk(_ call: String, every stride: Int, atMost most: Int, play: (_ number: Int) -> Int) {
        let stride = Thorough.isAskedFor ? 1 : stride
        let first = Int.random(in: 1...stride)
        var number = first
        while play(number) > 0, number < most { number += stride }
        // There are not so many of them: then at the first.
        let isUnharmed = number == first && (first == 1 || play(1) == 0)
        #expect(!isUnharmed, "the daemon never makes the call \(call): this shows nothing")
        if Thorough.isAskedFor { print("\(call): \(number - 1) points") }
    }
}
