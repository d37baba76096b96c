import SpoolFormat

/// The prompt of a conversation that begins again, as the agent has lost the one before.
enum Anew {
    static func prompt(_ record: TurnRecord) -> String { preface(record).map { $0 + "\n\n" + record.text } ?? record.text }

    static func content(_ record: TurnRecord) -> [ContentBlock] { (preface(record).map { [.text($0)] } ?? []) + record.content }

    private static func preface(_ record: TurnRecord) -> String? {
        guard let summary = record.summary, !summary.isEmpty else { return nil }
        return """
            This goes on from an earlier conversation, which is lost to you. It ended so:

            \(summary)

            (The end of the earlier conversation. What follows is new.)
            """
    }
}
