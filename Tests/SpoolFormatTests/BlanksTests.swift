import Glibc
import SpoolFormat
import Testing

/// Files and directories that are made in advance, and what is made of them.
@Suite struct BlanksTests {
    private final class Place {
        let path: String
        let stock: Directory
        let target: Directory
        let blanks: Blanks

        init(files: Int = 1, directories: Int = 1) throws {
            var template = Array("/tmp/rouse-blanks-XXXXXX".utf8CString)
            try #require(mkdtemp(&template) != nil)
            path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            let root = try Directory(path)
            stock = try root.directory(makingIfMissing: "stock")
            target = try root.directory(makingIfMissing: "target")
            blanks = Blanks(in: stock, prefix: "b", files: files, directories: directories)
            blanks.fill()
        }

        deinit { try? Directory("/tmp").removeTree(String(path.dropFirst("/tmp/".count))) }

        var stocked: Int { get throws { try stock.entries().count } }
        func text(_ name: String) throws -> String? { try target.read(name).map { String(decoding: $0.bytes, as: UTF8.self) } }
    }

    @Test func `what is taken from the stock is what would have been made`() throws {
        let place = try Place(files: 2)
        try place.blanks.write(Array("one".utf8), to: "file", in: place.target)
        try place.blanks.makeDirectory("directory", in: place.target)
        #expect(try place.stocked == 1)
        #expect(try place.text("file") == "one")
        let (file, directory) = (try #require(try place.target.status("file")), try #require(try place.target.status("directory")))
        #expect(file.kind == .file && file.mode & 0o777 == 0o600 && file.links == 1)
        #expect(directory.kind == .directory && directory.mode & 0o777 == 0o700)
        let log = try #require(place.blanks.take(to: place.target, as: "log") { _ in true })
        defer { close(log) }
        #expect(writeAll(Array("two".utf8), to: log))
        #expect(try place.text("log") == "two")
    }

    @Test func `without a stock everything is made on the spot, and the stock wants to be filled`() throws {
        let place = try Place(files: 0, directories: 0)
        #expect(!place.blanks.wantsFilling)
        try place.blanks.write(Array("one".utf8), to: "file", in: place.target)
        try place.blanks.makeDirectory("directory", in: place.target)
        #expect(try place.text("file") == "one" && place.target.contains("directory"))
        #expect(place.blanks.take(to: place.target, as: "log") { _ in true } == nil)
        #expect(place.blanks.wantsFilling)
    }

    @Test func `a stock that somebody has removed is no loss`() throws {
        let place = try Place()
        try Directory(place.path).removeTree("stock")
        try place.blanks.write(Array("one".utf8), to: "file", in: place.target)
        try place.blanks.makeDirectory("directory", in: place.target)
        place.blanks.fill()
        #expect(try place.text("file") == "one" && place.target.contains("directory"))
    }

    @Test func `a record is replaced; a directory and a log that are there are not`() throws {
        let place = try Place(files: 2)
        try place.target.write(Array("a record that is longer".utf8), to: "file")
        try place.blanks.write(Array("one".utf8), to: "file", in: place.target)
        #expect(try place.text("file") == "one")
        try place.target.makeDirectory("directory")
        try place.target.write([], to: "directory-file")
        for name in ["directory", "directory-file"] {
            let fault = #expect(throws: SystemFault.self) { try place.blanks.makeDirectory(name, in: place.target) }
            #expect(fault?.errno == EEXIST)
        }
        #expect(place.blanks.take(to: place.target, as: "file") { _ in true } == nil)
        #expect(try place.text("file") == "one")
    }

    @Test func `what can't be prepared is not put anywhere`() throws {
        let place = try Place()
        #expect(place.blanks.take(to: place.target, as: "file") { _ in false } == nil)
        #expect(!place.target.contains("file"))
        place.blanks.discard()
        #expect(try place.stocked == 0)
    }
}
