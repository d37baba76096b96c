import ArgumentParser
import SpoolFormat

/// The words of the command line, before the parser sees them.
enum CommandWords {
    /// Puts a `--spool` that stands before the command behind it, where the parser looks for it.
    /// - Throws: a fault that says which command was meant, where there is none of that name.
    static func arranged(_ words: [String]) throws(CommandFault) -> [String] {
        var rest = words[...]
        var spool: [String] = []
        if rest.first == "--spool", rest.count > 1 {
            spool = Array(rest.prefix(2))
        } else if rest.first?.hasPrefix("--spool=") == true {
            spool = Array(rest.prefix(1))
        }
        rest = rest.dropFirst(spool.count)
        guard let command = rest.first, !command.hasPrefix("-") else { return Array(rest) }
        guard names.contains(command) else {
            let hint = nearest(to: command, among: names).map { "; did you mean \($0)?" } ?? ""
            throw CommandFault("there is no command \"\(command)\"\(hint) (rouse --help lists them)", .usage)
        }
        return [command] + spool + rest.dropFirst()
    }

    private static var names: [String] {
        let commands = Rouse.configuration.groupedSubcommands.flatMap(\.subcommands) + Rouse.configuration.ungroupedSubcommands
        return ["help"] + commands.flatMap { [$0.configuration.commandName].compactMap(\.self) + $0.configuration.aliases }
    }
}
