import GRDB
import GRDBSQLite

/// A prepared statement. GRDB prepares it; binding and stepping go to SQLite directly, since GRDB's own layers cost
/// more than the statements of the hot path themselves.
final class Query {
    private let statement: Statement
    private let handle: OpaquePointer

    init(_ statement: Statement) {
        self.statement = statement
        handle = statement.sqliteStatement
    }

    /// Moves on to the next row; `nil` when it stands on one, otherwise SQLite's result code.
    func step() -> Int32? {
        let code = sqlite3_step(handle)
        return code == SQLITE_ROW ? nil : code
    }

    func reset() {
        sqlite3_reset(handle)
    }

    // MARK: Parameters, from 1

    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }
    func bind(_ index: Int32, _ value: Int) { sqlite3_bind_int64(handle, index, Int64(value)) }

    func bind(_ index: Int32, _ value: Int64?) {
        guard let value else { return bindNull(index) }
        bind(index, value)
    }

    func bind(_ index: Int32, _ value: String) {
        var value = value
        value.withUTF8 { bytes in
            let start = bytes.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
            // A null pointer would bind NULL instead of the empty text.
            guard let start, bytes.count > 0 else {
                _ = sqlite3_bind_text(handle, index, "", 0, Self.copied)
                return
            }
            sqlite3_bind_text(handle, index, start, Int32(bytes.count), Self.copied)
        }
    }

    func bind(_ index: Int32, _ value: String?) {
        guard let value else { return bindNull(index) }
        bind(index, value)
    }

    func bindNull(_ index: Int32) { sqlite3_bind_null(handle, index) }

    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    // MARK: Columns, from 0

    func int(_ index: Int32) -> Int64 { sqlite3_column_int64(handle, index) }
    func isNull(_ index: Int32) -> Bool { sqlite3_column_type(handle, index) == SQLITE_NULL }
    func optionalInt(_ index: Int32) -> Int64? { isNull(index) ? nil : int(index) }
    func text(_ index: Int32) -> String { String(decoding: bytes(index), as: UTF8.self) }
    func optionalText(_ index: Int32) -> String? { isNull(index) ? nil : text(index) }

    func equals(_ index: Int32, _ value: String?) -> Bool {
        guard let value else { return isNull(index) }
        return !isNull(index) && bytes(index).elementsEqual(value.utf8)
    }

    /// The text in place; it is there until the next step or reset.
    private func bytes(_ index: Int32) -> UnsafeBufferPointer<UInt8> {
        // The order matters: the text is brought into its form before its length is asked for.
        let start = sqlite3_column_text(handle, index)
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index)))
    }
}
