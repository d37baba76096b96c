import CLinux
import Glibc
import SpoolFormat

/// What was said in a session: the end of `transcript.jsonl`.
struct SessionTranscript {
    struct Turn {
        let prompt: JSON
        let answer: JSON?

        var id: String { prompt["turn"]?.string ?? "-" }
    }

    /// The last ones, oldest first.
    let turns: [Turn]

    /// Of a transcript that has grown long, so much is read.
    private static let longest = 4 << 20

    init(_ directory: Directory, last count: Int) {
        var turns: [Turn] = []
        let lines = ((try? Self.tail(directory)) ?? []).split(separator: 0x0A)
        for line in lines {
            guard let json = try? JSONReader.read(Array(line), maximumDepth: JSONReader.maximumRecordDepth) else { continue }
            if json["role"]?.string == "user" {
                turns.append(Turn(prompt: json, answer: nil))
            } else if let last = turns.last, last.answer == nil {
                turns[turns.count - 1] = Turn(prompt: last.prompt, answer: json)
            }
        }
        self.turns = turns.suffix(count)
    }

    private static func tail(_ directory: Directory) throws -> [UInt8] {
        let file = rouse_openat(directory.descriptor, SpoolLayout.Session.transcript, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard file >= 0 else { return [] }
        defer { close(file) }
        let end = lseek(file, 0, SEEK_END)
        lseek(file, max(0, end - off_t(longest)), SEEK_SET)
        return try TaskText.read(descriptor: file, name: directory.path + "/" + SpoolLayout.Session.transcript, limit: longest)
    }
}
