import ArgumentParser
import SpoolFormat

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of a task or of a configuration file.",
        discussion: "The dialect is 2020-12.")

    @Argument(help: ArgumentHelp(Schema.names.joined(separator: ", ") + ".", valueName: "name"), completion: .list(Schema.names))
    var name = "task"

    func run() throws {
        guard let schema = Schema.named(name) else {
            let hint = nearest(to: name, among: Schema.names).map { "; did you mean \($0)?" } ?? ""
            throw ValidationError("There is no schema \"\(name)\"\(hint) There are: \(Schema.names.joined(separator: ", ")).")
        }
        Output.print(schema)
    }
}
