import Glibc
public import SpoolFormat

/// An agent that is a shell script with the driver `command`. It keeps every prompt in a file, and does what words in
/// capitals in the prompt say:
///
/// | word | it |
/// |---|---|
/// | `GATE` | waits for a line from the gate |
/// | `ASK` | says that it waits for input, until it is interrupted or a line comes from the gate |
/// | `STUBBORN` | says that it waits for input, takes no notice of interrupts, and waits for a line from the gate |
/// | `FAIL` | fails |
public struct ScriptAgent {
    private let spool: TestSpool
    private var path: String { "\(spool.path)/.agent" }

    /// - Parameters:
    ///   - gate: the path of a FIFO that `GATE` and `STUBBORN` read from.
    ///   - options: more fields of the agent's configuration, each with a comma in front.
    public init(_ spool: TestSpool, named name: String = "script", gate: String = "/dev/null", script: String = "", options: String = "") {
        self.spool = spool
        mkdir(path, 0o700)
        mkdir("\(path)/prompts", 0o700)
        let own = "\(path)/\(name).sh"
        spool.write(Self.script(path, gate: gate, script), to: own)
        spool.configure("agents/\(name)", #"""
            {"driver": "command", "command": ["/bin/sh", "\#(own)"], "resume": ["/bin/sh", "\#(own)", "{session}"],
             "output": {"format": "json", "session": "session", "text": "text", "usage": "usage"}, "cancel_timeout": "1h"\#(options)}
            """#)
    }

    private static func script(_ path: String, gate: String, _ more: String) -> String {
        #"""
        prompt=$(cat)
        name=$ROUSE_JOB_ID.$ROUSE_ATTEMPT
        printf '%s' "$prompt" > '\#(path)/prompts/.'$name.$$
        mv '\#(path)/prompts/.'$name.$$ '\#(path)/prompts/'$name.$$
        echo "begin $ROUSE_JOB_ID ${1-new}" >> '\#(path)/story'
        say_waiting() {
            turn=$ROUSE_SPOOL/sessions/$ROUSE_SESSION
            sed 's/"state": *"[a-z]*"/"state": "waiting"/' "$turn/turn.json" > "$turn/.turn.$$"
            mv "$turn/.turn.$$" "$turn/turn.json"
        }
        case $prompt in *GATE*) read line < '\#(gate)';; esac
        case $prompt in *ASK*)
            trap 'echo "interrupted $ROUSE_JOB_ID" >> "\#(path)/story"; exit 130' INT
            say_waiting
            while ! read line; do :; done < '\#(gate)';;
        esac
        case $prompt in *STUBBORN*)
            trap 'echo "interrupted $ROUSE_JOB_ID" >> "\#(path)/story"' INT TERM
            say_waiting
            while ! read line; do :; done < '\#(gate)';;
        esac
        \#(more)
        echo "end $ROUSE_JOB_ID" >> '\#(path)/story'
        case $prompt in *FAIL*) exit 3;; esac
        printf '{"session": "%s", "text": "answer to %s", "usage": {"input_tokens": 3, "output_tokens": 2}}\n' "${1-conversation-of-$ROUSE_JOB_ID}" "$ROUSE_JOB_ID"
        """#
    }

    /// The prompts that have come, by the job and the attempt: `<id>.<attempt>`. One that came twice is there twice.
    public var prompts: [(name: String, text: String)] {
        spool.list(".agent/prompts").map { name in
            (String(name[..<name.lastIndex(of: ".")!]), spool.text(".agent/prompts/\(name)") ?? "")
        }
    }

    /// What the agent has heard in this job's turns.
    public func prompts(of job: String) -> [String] { prompts.filter { $0.name.hasPrefix("\(job).") }.map(\.text) }

    /// What the agent did, a line each: `begin <job> <conversation>`, `interrupted <job>`, `end <job>`.
    public var story: [String] { (spool.text(".agent/story") ?? "").split(separator: "\n").map(String.init) }

    /// Waits until the agent has come to this line.
    public func comes(to line: String) -> Bool { spool.wait { story.contains { $0 == line || $0.hasPrefix(line + " ") } } }
}

extension TestSpool {
    public func defineSession(_ name: String, _ options: String = "", agent: String = "script") {
        configure("sessions/\(name)", #"{"agent": "\#(agent)"\#(options)}"#)
    }

    /// `sessions/<name>/state.json`
    public func session(_ name: String) -> JSON? { json("sessions/\(name)/state.json") }

    /// Waits until a session is in that state.
    public func session(_ name: String, reaches state: String) -> Bool { wait { session(name)?["state"]?.string == state } }

    /// The lines of a file, each of which is JSON.
    public func lines(_ name: String) -> [JSON] {
        (text(name) ?? "").split(separator: "\n").compactMap { try? JSONReader.read(Array($0.utf8)) }
    }

    /// The ids of jobs that are wakes of a session, wherever they are.
    public func wakes(of session: String) -> [String] {
        JobState.allCases.flatMap { state in
            list(state.rawValue).filter { json("\(state.rawValue)/\($0)/task.json")?["wake"]?.string == session }
        }.sorted()
    }

    /// The wake that a finished job's result tells of.
    public func wake(_ id: String) -> JSON? { result(of: id)?["wake"] }

    /// The ways a wake was tried: `heartbeat skipped prompt_active`, `direct sent` …
    public func tries(_ id: String) -> [String] {
        (wake(id)?["attempts"]?.array ?? []).map { attempt in ["path", "result", "reason"].compactMap { attempt[$0]?.string }.joined(separator: " ") }
    }
}
