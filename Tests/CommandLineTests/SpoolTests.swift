import Glibc
import SpoolFormat
import TestSupport
import Testing

@Suite struct InitTests {
    let spool = TestSpool()
    private var target: String { spool.path + "/sub/new" }

    @Test func aSpoolIsMadePrivateAndWhole() throws {
        let first = Shell().rouse("init", target)
        #expect(first.code == 0 && first.errors.isEmpty)
        let root = try Directory(target)
        #expect(try root.status().mode == 0o700)
        for name in SpoolLayout.directories { #expect(try root.status(name)?.kind == .directory) }
        let readme = try #require(try root.read("README.md"))
        #expect(String(decoding: readme.bytes, as: UTF8.self).contains("inbox/"))
        let second = Shell().rouse("init", target)
        #expect(second.code == 0 && second.output.contains("nothing was changed"))
        rmdir(target + "/waiting")
        unlink(target + "/README.md")
        #expect(Shell().rouse("init", target).output.contains("2 missing entries were made"))
    }

    @Test func theEnvironmentOrTheOptionNamesIt() {
        #expect(Shell(environment: ["ROUSE_SPOOL": target]).rouse("init", "-q").output.isEmpty)
        #expect(Shell().rouse("init", "--spool", target).output.contains("already"))
        #expect(Shell(directory: spool.path + "/sub").rouse("init").code == 0)
        #expect(spool.exists("sub/spool/inbox"))
    }

    @Test func whatIsNoSpoolIsLeftAlone() {
        mkdir(spool.path + "/home", 0o755)
        spool.write("mine", to: spool.path + "/home/letter.txt")
        let answer = Shell().rouse("init", spool.path + "/home")
        #expect(answer.code == 73 && answer.errors.contains("letter.txt"))
        #expect(spool.names("home") == ["letter.txt"])
        #expect(Shell().rouse("init", spool.path + "/home/letter.txt").code == 73)
        mkdir(spool.path + "/empty", 0o700)
        #expect(Shell().rouse("init", spool.path + "/empty").code == 0)
    }

    @Test func openPermissionsAreTold() {
        #expect(Shell().rouse("init", target).code == 0)
        chmod(target, 0o755)
        #expect(Shell().rouse("init", target).errors.contains("mode 0755"))
        chmod(target, 0o700)
        chmod(target + "/inbox", 0o777)
        let answer = Shell().rouse("init", target)
        #expect(answer.code == 0 && answer.errors.contains("run programs as you"))
    }
}

@Suite struct SpoolOptionTests {
    let spool = TestSpool()

    @Test(arguments: [
        ["list"], ["drop", "--", "true"], ["show", "x"], ["log", "x"], ["wait", "x"], ["cancel", "x"], ["retry", "x"], ["recover", "x"],
        ["hold", "x"], ["release", "x"], ["status"], ["doctor"], ["reindex"], ["prune"], ["serve"],
    ])
    func aMissingSpoolSaysHowToMakeOne(arguments: [String]) {
        for path in [spool.path + "/nowhere", spool.path + "/done"] {
            let answer = Shell(environment: ["ROUSE_SPOOL": path]).rouse(arguments)
            #expect(answer.code == 66, "\(answer.errors)")
            #expect(answer.errors.contains("rouse init"), "\(answer.errors)")
        }
    }

    @Test func theOptionGoesBeforeTheEnvironmentBeforeTheDirectory() {
        let other = TestSpool()
        other.make("there", .queued)
        #expect(Shell(spool).rouse("list", "--spool", other.path, "--json").output.contains("there"))
        #expect(!Shell(spool).rouse("list", "--json").output.contains("there"))
        #expect(Shell(spool).rouse("--spool", other.path, "list", "--json").output.contains("there"))
        #expect(Shell(spool).rouse("--spool=\(other.path)", "drop", "--id", "new", "--", "true").code == 0)
        #expect(other.exists("inbox/new.json"))
        mkdir(spool.path + "/spool", 0o700)
        #expect(Shell().rouse("init", spool.path + "/spool").code == 0)
        #expect(Shell(directory: spool.path).rouse("list", "--json").output == "[]\n")
        #expect(Shell(directory: spool.path, environment: ["ROUSE_SPOOL": ""]).rouse("list", "--json").code == 0)
    }
}

@Suite struct ReferenceTests {
    @Test(arguments: [
        "serve", "init", "drop", "list", "show", "log", "wait", "cancel", "retry", "recover", "hold", "release", "status", "doctor",
        "reindex", "prune", "schema", "prompt", "wake", "note", "answer", "attach", "report", "session",
        "session list", "session show", "session log", "session open", "session stop", "session restart", "session interrupt", "session pause",
        "session resume", "session lock", "session unlock", "session reset",
    ])
    func everyCommandHasHelp(command: String) {
        let words = command.split(separator: " ").map(String.init)
        let answer = Shell().rouse(["help"] + words)
        #expect(answer.code == 0 && answer.output.contains("USAGE: rouse \(command)"))
        #expect(Shell().rouse(words + ["--no-such-option"]).code == 64)
        #expect(Shell().rouse("manual").output.contains(".Ss rouse \(command)\n"))
    }

    @Test func theVersionIsTold() { #expect(Shell().rouse("--version").output.contains(".")) }

    @Test func unknownCommandsAreFaultsOfUsage() {
        let slip = Shell().rouse("wiat", "x")
        #expect(slip.code == 64 && slip.errors.contains("did you mean wait?"))
        #expect(Shell().rouse("frobnicate").code == 64)
        #expect(Shell().rouse("wait").code == 64)
        #expect(Shell().rouse("show").code == 64)
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completionsAreMade(shell: String) {
        let answer = Shell().rouse("--generate-completion-script", shell)
        #expect(answer.code == 0 && answer.output.contains("recover"))
    }

    @Test func exitCodesAreDocumented() {
        for arguments in [["help", "exit-codes"], ["exit-codes"], ["manual"]] {
            let answer = Shell().rouse(arguments)
            for code in ["64", "65", "66", "69", "70", "73", "74", "75", "77", "124"] { #expect(answer.output.contains(code)) }
        }
    }

    @Test func noLineOfTheManualIsTakenForARequest() {
        let known = ["Dd", "Dt", "Os", "Sh", "Ss", "Nm", "Nd", "Ar", "Op", "Pp", "Bl", "It", "El", "Bd", "Ed", "br"]
        for line in Shell().rouse("manual").lines where line.hasPrefix(".") || line.hasPrefix("'") {
            #expect(known.contains { line == ".\($0)" || line.hasPrefix(".\($0) ") }, "\(line)")
        }
    }

    @Test(arguments: ["task", "queue", "schedule", "agent", "session"]) func schemasArePrinted(name: String) {
        let answer = Shell().rouse("schema", name)
        #expect(answer.code == 0 && answer.json?["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
    }

    @Test func anUnknownSchemaIsAFaultOfUsage() {
        let answer = Shell().rouse("schema", "taks")
        #expect(answer.code == 64 && answer.errors.contains("did you mean task?"))
        #expect(Shell().rouse("schema").output == Shell().rouse("schema", "task").output)
    }
}
