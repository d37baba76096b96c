import SpoolFormat

/// What the bytes of a dropped file are: a task, or a fault that is said with its place.
enum DroppedText {
    case task(TaskFile)
    /// Whether the rest may yet come.
    case fault(RejectionRecord, mayBeUnfinished: Bool)

    init(_ bytes: [UInt8], _ name: EntryName) {
        guard bytes.count <= Defaults.taskBytes else {
            self = .fault(.tooLarge(Int64(bytes.count), file: name.display), mayBeUnfinished: true)
            return
        }
        let json: JSON
        do { json = try JSONReader.read(bytes) } catch {
            self = .fault(RejectionRecord(error, file: name.display), mayBeUnfinished: true)
            return
        }
        do { self = .task(try TaskReader.read(json)) } catch {
            // Only an object is known to be whole: `12` may become `123`.
            self = .fault(RejectionRecord(error, file: name.display, text: bytes), mayBeUnfinished: json.object == nil)
        }
    }
}
