import CLinux
import Glibc

/// A vector of C strings as `exec` takes it: an argument vector or an environment.
package final class CStrings {
    private var pointers: [UnsafeMutablePointer<CChar>?] = [nil]
    private var owned: [UnsafeMutablePointer<CChar>] = []

    package init() {}

    package init(_ texts: [String]) {
        pointers.reserveCapacity(texts.count + 1)
        for text in texts { append(text) }
    }

    deinit { for pointer in owned { free(pointer) } }

    package func append(_ text: String) {
        let copy = strdup(text)!
        owned.append(copy)
        append(borrowing: copy)
    }

    /// Adds a string that the caller keeps for as long as this vector is used; it need not be UTF-8.
    package func append(borrowing pointer: UnsafeMutablePointer<CChar>) {
        pointers[pointers.count - 1] = pointer
        pointers.append(nil)
    }

    package func withPointers<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
        pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
    }

    /// This process's own environment without the variables that `isLeftOut` names, byte for byte.
    package static func ownEnvironment(without isLeftOut: (String) -> Bool) -> CStrings {
        let strings = CStrings()
        var entry = rouse_environment()
        while let variables = entry, let variable = variables.pointee {
            let length = strchr(variable, Int32(UInt8(ascii: "="))).map { $0 - variable } ?? strlen(variable)
            let name = UnsafeRawBufferPointer(start: variable, count: length)
            if !isLeftOut(String(decoding: name, as: UTF8.self)) { strings.append(borrowing: variable) }
            entry = variables + 1
        }
        return strings
    }
}
