import SpoolFormat
import Testing
import TestSupport

/// What README.md tells its readers to type.
@Suite struct ReadmeTests {
    /// The shell blocks, in order.
    private static func blocks() throws -> [String] {
        var blocks: [String] = []
        var block: [Substring]?
        for line in try Repository.text("README.md").split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```sh" {
                block = []
            } else if line == "```", let lines = block {
                blocks.append(lines.joined(separator: "\n"))
                block = nil
            } else {
                block?.append(line)
            }
        }
        return blocks
    }

    /// The first block is the two commands that `.ci/run` runs; the others are run here, one after another.
    @Test func everyCommandWorks() throws {
        let blocks = try Self.blocks()
        let ci = try Repository.text(".ci/run").split(separator: "\n")
        let commands = blocks[0].split(separator: "\n").map { $0.prefix { $0 != "#" } }.map { $0.split(separator: " ").joined(separator: " ") }
        #expect(commands == ["examples/quickstart.sh", "Tests/run.sh"])
        for command in commands { #expect(ci.contains { $0 == command }, "CI does not run \(command)") }

        let outer = TestSpool()
        defer { Programs.endAll(ofSpool: outer.path) }
        let scratch = try Scratch(in: outer, "clone")
        let prepared = scratch.sh(
            """
            mkdir .build; ln -s "$PRODUCTS" .build/debug
            cp -r "$REPOSITORY/examples" .
            rouse init --quiet spool
            """, ["PRODUCTS": Programs.directory, "REPOSITORY": Repository.path])
        try #require(prepared.code == 0, "\(prepared.output)")
        // The daemon that README starts is stopped by the number in its lock.
        let script = """
            unset ROUSE_SPOOL
            trap 'kill $(cat spool/daemon/lock); wait' EXIT
            """ + "\n" + blocks.dropFirst().joined(separator: "\n")
        let run = scratch.sh(script, ["PATH": "/usr/local/bin:/usr/bin:/bin"])
        #expect(run.code == 0, "\(run.output)")
        #expect(outer.wait { Programs.processes(ofSpool: outer.path).isEmpty })
    }

    /// What is named in backquotes or linked, and looks like a file of the repository, is there.
    @Test func everyFileThatItNamesIsThere() throws {
        let text = try Repository.text("README.md")
        let parts = text.split(whereSeparator: { "`() \n|".contains($0) })
        let names = parts.filter { part in ["examples/", "Sources/", "Tests/", ".ci/"].contains { part.hasPrefix($0) } }
        #expect(names.count > 5)
        for name in names where !name.contains("*") && !name.contains("<") {
            let path = String(name.last == "." || name.last == "," || name.last == ":" ? name.dropLast() : name)
            #expect(try Directory(Repository.path).status(path) != nil, "\(path)")
        }
    }
}
