// The schema of an agent's configuration.
extension Schema {
    static let agentConfiguration = closed(
        [
            "driver": word(AgentConfiguration.Driver.self),
            "command": described(arguments, "the program and its arguments; words in braces are replaced"),
            "resume": described(arguments, "instead of command, once the agent's own session id is known"),
            "prompt": described(word(AgentConfiguration.PromptBy.self), "how the prompt is given"),
            "env": reference("environment"),
            "model": reference("model"),
            "output": output,
            "ready": closed(
                [
                    "pattern": described(pattern, "the screen matches it when the agent waits for a prompt"),
                    "timeout": reference("some_duration"),
                    "quiet": described(reference("duration"), "how long the screen stays the same before it counts; 1s"),
                    "dialogs": array(of: closed(["pattern": pattern, "keys": keys(from: 1)], required: ["pattern", "keys"]), to: 100),
                ]),
            "permissions": either(
                word(AgentConfiguration.Permission.self),
                ["type": "object", "additionalProperties": word(AgentConfiguration.Permission.self)]),
            "cancel_timeout": described(reference("some_duration"), "how long the agent may take to obey an interrupt; 30s"),
            "timeout": reference("some_duration"),
            "grace": reference("duration"),
            "on_lost_session": word(LostSession.self),
            "retryable_exit_codes": array(of: integer(1...255), to: 100),
            "interrupt_keys": described(keys(from: 0), "for a terminal's agent; Escape"),
            "clear_keys": described(keys(from: 0), "empty a terminal's input line; C-u"),
            "waiting": described(array(of: pattern, to: 100), "a terminal's screen matches one when the agent asks something"),
        ], required: ["driver", "command"],
        [
            "if": ["properties": ["driver": ["const": "command"]]],
            "then": ["allOf": .array(commandRules)],
            "else": ["allOf": .array(keptRules)],
        ])

    private static let commandRules: [JSON] = [
        given(["argument"], mentions("prompt")), given(["file"], mentions("prompt_file")),
        given(["stdin", "file"], ["not": mentions("prompt")]),
        ["properties": ["command": ["not": ["contains": argument(mentioning: "session")]]]],
    ]

    private static let keptRules: [JSON] = [
        ["not": ["anyOf": [mentions("prompt"), mentions("prompt_file")]]],
        [
            "if": ["properties": ["driver": ["const": "tmux"]]],
            "then": ["required": ["ready"], "properties": ["ready": ["required": ["pattern"]]]],
            "else": ["not": ["required": ["resume"]]],
        ],
        [
            "if": ["required": ["resume"], "properties": ["resume": ["contains": argument(mentioning: "session")]]],
            "then": ["properties": ["command": ["contains": argument(mentioning: "new_session")]]],
        ],
    ]

    private static func given(_ ways: [String], _ rule: JSON) -> JSON {
        ["if": ["required": ["prompt"], "properties": ["prompt": words(ways)]], "then": rule]
    }

    /// An argument of `command` or of `resume` has the word in braces.
    private static func mentions(_ word: String) -> JSON {
        ["anyOf": .array(["command", "resume"].map { name in
            ["required": [.string(name)], "properties": [name: ["contains": argument(mentioning: word)]]]
        })]
    }

    /// What stands in an argument: `{{` for a brace, words in braces, and braces that hold no word.
    private static let parts =
        #"^([^{\u0000]|\{\{|\{(?!\{)(?![a-z_]+\})|\{("# + AgentConfiguration.placeholders.joined(separator: "|") + #")\})*"#

    private static func argument(mentioning word: String) -> JSON { ["type": "string", "pattern": .string(parts + "\\{\(word)\\}")] }

    private static let arguments: JSON = {
        let argument = text(to: Bounds.argument, pattern: parts + "$")
        return [
            "type": "array", "minItems": 1, "maxItems": 1000, "prefixItems": [text(from: 1, to: Bounds.argument, pattern: parts + "$")],
            "items": argument,
        ]
    }()

    private static let pattern = described(text(from: 1, to: 1000), "a regular expression")

    private static func keys(from least: Int) -> JSON {
        array(of: text(from: 1, to: 100, pattern: #"^(?!-)[^\u0000]*$"#), from: least, to: 100)
    }

    // MARK: how output is read

    private static let rules = ["session", "text", "usage", "cost", "model", "error", "status", "end", "success"]

    private static let output: JSON = {
        let path: JSON = ["type": "string", "minLength": 1]
        let rule = either(path, closed(["take": line, "where": ["type": "object"]]))
        var properties: JSONObject = [
            "format": word(OutputRules.Format.self), "cumulative": array(of: words(["usage", "cost"]), to: 2),
            "session_pattern": pattern, "lost_session_pattern": pattern,
        ]
        var none = JSONObject()
        for name in rules {
            properties[name] = either(rule, ["type": "array", "items": rule])
            none[name] = ["type": "array", "maxItems": 0]
        }
        // Plain text has no members to be found.
        return closed(properties, ["if": ["properties": ["format": ["const": "text"]]], "then": ["properties": .object(none)]])
    }()
}
