import ArgumentParser

struct ExitCodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exit-codes", abstract: "What the exit codes mean.",
        discussion: ExitStatus.table + "\n\n" + ExitStatus.ofWait)

    func run() { Output.print(ExitStatus.table + "\n\n" + ExitStatus.ofWait) }
}
