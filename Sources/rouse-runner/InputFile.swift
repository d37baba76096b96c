import CLinux
import Glibc
import SpoolFormat

/// What the program reads on its standard input.
enum InputFile {
    /// - Returns: a descriptor that the caller closes; `nil` is `/dev/null`.
    static func open(_ input: StandardInput?) throws(Unstartable) -> Int32? {
        switch input {
        case nil: nil
        case .text(let text): try memory(holding: text)
        case .file(let path): try file(at: path)
        }
    }

    /// Text goes through memory: a pipe would need somebody to fill it, and a file somebody to remove it.
    private static func memory(holding text: String) throws(Unstartable) -> Int32 {
        let file = rouse_memfd_create("stdin")
        guard file >= 0 else { throw Unstartable("cannot make room for the text on stdin", errno: errno) }
        guard writeAll(Array(text.utf8), to: file), lseek(file, 0, SEEK_SET) == 0 else {
            let code = errno
            close(file)
            throw Unstartable("cannot make room for the text on stdin", errno: code)
        }
        return file
    }

    /// Opened without waiting, as a FIFO would make the runner wait for a writer and forget the attempt's deadline.
    private static func file(at path: String) throws(Unstartable) -> Int32 {
        let file = rouse_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0)
        guard file >= 0 else { throw Unstartable("cannot open \(path) for stdin", errno: errno) }
        var status = stat()
        guard fstat(file, &status) == 0, [S_IFREG, S_IFCHR].contains(status.st_mode & S_IFMT) else {
            close(file)
            throw Unstartable("cannot use \(path) for stdin: it is not a regular file")
        }
        _ = rouse_set_blocking(file)
        return file
    }
}
