import SpoolFormat

/// What must hold of every input. Each check answers what is wrong, or `nil`.
enum Checks {
    struct Tally {
        var inputs = 0
        var json = 0
        var tasks = 0
        var configurations = 0
    }

    static func check(_ bytes: [UInt8], _ tally: inout Tally) -> String? {
        tally.inputs += 1
        let value: JSON
        do throws(JSONFault) { value = try JSONReader.read(bytes) } catch { return checkRejection(RejectionRecord(error, file: "x.json"), of: bytes) }
        tally.json += 1
        for layout in [JSONWriter.Layout.indented, .line] {
            guard let back = try? JSONReader.read(JSONWriter.write(value, layout)), back == value else {
                return "what is written does not read back equal"
            }
        }
        return checkPrefixes(bytes, value) ?? checkTask(value, bytes, &tally) ?? checkConfiguration(value, bytes, &tally)
    }

    /// No proper prefix of an object is an object; only white space may follow it.
    private static func checkPrefixes(_ bytes: [UInt8], _ value: JSON) -> String? {
        guard value.object != nil, let end = bytes.lastIndex(of: UInt8(ascii: "}")) else { return nil }
        let step = max(1, end / 16)
        for length in Array(stride(from: 0, to: end, by: step)) + [end] {
            do throws(JSONFault) {
                _ = try JSONReader.read(Array(bytes[..<length]))
                return "the first \(length) bytes are accepted too"
            } catch {
                guard error.mayBeUnfinished else { return "the first \(length) bytes seem broken, not unfinished: \(error.code)" }
            }
        }
        return nil
    }

    private static func checkTask(_ value: JSON, _ bytes: [UInt8], _ tally: inout Tally) -> String? {
        let task: TaskFile
        do throws(TaskFault) { task = try TaskReader.read(value) } catch {
            return checkRejection(RejectionRecord(error, file: "x.json", text: bytes), of: bytes)
        }
        tally.tasks += 1
        guard let again = try? TaskReader.read(task.json) else { return "the normalised task is rejected" }
        guard again == task, again.json == task.json else { return "normalising twice gives something else" }
        let record = TaskRecord(
            id: JobID("x")!, sequence: 1, verb: task.verb, queue: "default", uid: 1,
            acceptedAt: Timestamp(milliseconds: 1_795_274_271_042), depth: 0, options: task.options)
        do throws(TaskFault) {
            let written: JSON
            do throws(JSONFault) { written = try JSONReader.read(JSONWriter.write(record.json)) } catch { return "task.json is not JSON: \(error)" }
            guard try TaskRecord.read(written) == record else { return "task.json reads back as something else" }
        } catch {
            return "task.json is rejected: \(error.message)"
        }
        return nil
    }

    private static func checkConfiguration(_ value: JSON, _ bytes: [UInt8], _ tally: inout Tally) -> String? {
        do throws(TaskFault) {
            _ = try QueueConfiguration.read(value)
            tally.configurations += 1
        } catch {
            if let find = checkRejection(RejectionRecord(error, file: "x.json", text: bytes), of: bytes) { return find }
        }
        do throws(TaskFault) {
            _ = try ScheduleConfiguration.read(value)
            tally.configurations += 1
        } catch {
            return checkRejection(RejectionRecord(error, file: "x.json", text: bytes), of: bytes)
        }
        return nil
    }

    /// A rejection says what, where and what was expected, briefly, and stands in a file that can be read.
    private static func checkRejection(_ record: RejectionRecord, of bytes: [UInt8]) -> String? {
        guard let position = record.position else { return "a rejection without a place: \(record.message)" }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard position.line <= lines.count else { return "a place past the last line" }
        guard position.column <= lines[position.line - 1].count + 1 else { return "a place past the end of its line" }
        guard !record.message.isEmpty, record.message.utf8.count < 2000 else { return "a message of \(record.message.utf8.count) bytes" }
        guard !record.message.utf8.contains(where: { $0 < 0x20 }) else { return "a control character in a message" }
        guard record.expected?.isEmpty == false else { return "a rejection that expects nothing: \(record.message)" }
        guard let back = try? JSONReader.read(JSONWriter.write(record.json)), back == record.json else { return "the error file does not read back" }
        return nil
    }
}
