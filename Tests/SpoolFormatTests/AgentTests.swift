import Testing

@testable import SpoolFormat

/// The configuration of agents, and the definitions of sessions.
@Suite struct AgentTests {
    static let good = [
        #"{"driver":"command","command":["claude","--print","--","{prompt}"]}"#, #"{"driver":"command","command":["cat"],"prompt":"stdin"}"#,
        #"{"driver":"command","command":["a","{prompt_file}"],"resume":["a","--resume","{session}","{prompt_file}"],"prompt":"file"}"#,
        #"{"driver":"command","command":["a","{new_session}","{{prompt}","{\"a\":{}}","{model}"],"model":"x/y:z@1"}"#,
        #"{"driver":"command","command":["a"],"output":{"format":"json_lines","text":{"where":{"type":"result"},"take":"result"},"usage":["usage",{"take":"x"}],"end":{"where":{"a.b":1}},"status":"api_error_status","cumulative":["usage","cost"],"session_pattern":"id: (.*)"}}"#,
        #"{"driver":"command","command":["a"],"output":{"text":[]},"retryable_exit_codes":[75],"timeout":"20m","grace":"5s"}"#,
        #"{"driver":"acp","command":["a","--acp"],"permissions":"allow_once","cancel_timeout":"10s","on_lost_session":"fail"}"#,
        #"{"driver":"acp","command":["a"],"permissions":{"read":"allow_always","default":"ask"},"env":{"A":{"from_file":"/s"}}}"#,
        #"{"driver":"tmux","command":["a","--session-id","{new_session}"],"resume":["a","--resume","{session}"],"ready":{"pattern":"> $"}}"#,
        #"{"driver":"tmux","command":["claude"],"ready":{"pattern":"> $","timeout":"1m","quiet":"0s","dialogs":[{"pattern":"trust","keys":["Enter"]}]},"interrupt_keys":["Escape"],"clear_keys":[],"waiting":["Do you want"]}"#,
    ]

    static let bad: [(String, String)] = [
        ("{}", ""), (#"{"driver":"ssh","command":["a"]}"#, "driver"), (#"{"driver":"tmux"}"#, ""), (#"{"driver":"tmux","command":"a"}"#, "command"),
        (#"{"driver":"tmux","command":[]}"#, "command"), (#"{"driver":"tmux","command":[""]}"#, "command"), (#"{"driver":"tmux","command":["a","{promt}"]}"#, "command[1]"),
        (#"{"driver":"tmux","command":["a"]}"#, ""), (#"{"driver":"tmux","command":["a"],"ready":{"quiet":"1s"}}"#, ""),
        (#"{"driver":"tmux","command":["a"],"resume":["a","{session}"],"ready":{"pattern":"a"}}"#, "resume"),
        (#"{"driver":"tmux","command":["a","{prompt}"],"ready":{"pattern":"a"}}"#, "command"), (#"{"driver":"acp","command":["a"],"resume":["a"]}"#, "resume"),
        (#"{"driver":"command","command":["a","{session}"]}"#, "command"), (#"{"driver":"command","command":["a"],"prompt":"argument"}"#, "prompt"),
        (#"{"driver":"command","command":["a"],"prompt":"file"}"#, "prompt"), (#"{"driver":"command","command":["a","{prompt}"],"prompt":"stdin"}"#, "prompt"),
        (#"{"driver":"tmux","command":["a"],"ready":{"pattern":"("}}"#, "ready.pattern"), (#"{"driver":"tmux","command":["a"],"ready":{"quiet":1}}"#, "ready.quiet"),
        (#"{"driver":"tmux","command":["a"],"ready":{"dialogs":[{"pattern":"a"}]}}"#, "ready.dialogs[0]"), (#"{"driver":"tmux","command":["a"],"waiting":"a"}"#, "waiting"),
        (#"{"driver":"tmux","command":["a"],"waiting":["["]}"#, "waiting[0]"), (#"{"driver":"tmux","command":["a"],"clear_keys":["-x"]}"#, "clear_keys[0]"),
        (#"{"driver":"acp","command":["a"],"permissions":"yes"}"#, "permissions"), (#"{"driver":"acp","command":["a"],"permissions":{"read":"yes"}}"#, "permissions.read"),
        (#"{"driver":"command","command":["a"],"output":{"text":"result"}}"#, "output"), (#"{"driver":"command","command":["a"],"output":{"format":"yaml"}}"#, "output.format"),
        (#"{"driver":"command","command":["a"],"retryable_exit_codes":[0]}"#, "retryable_exit_codes[0]"), (#"{"driver":"command","command":["a"],"modle":"x"}"#, "modle"),
    ]

    static let goodSessions = [
        #"{"agent":"claude"}"#, #"{"agent":"claude","role":"worker","cwd":"/srv","pending":1}"#,
        #"{"agent":"a","role":"coordinator","coordinates":{"queues":["q"],"labels":{"a":"b"},"parents":["p"]},"wake_on":["failed"],"mode":"interrupt_if_waiting"}"#,
        #"{"agent":"a","coordinates":{"queues":["q"]},"model":"m","env":{"A":"b"},"timeout":"1h","grace":"1s","on_lost_session":"anew"}"#,
        #"{"agent":"a","role":"worker","coordinates":{"queues":[]}}"#,
    ]

    static let badSessions: [(String, String)] = [
        ("{}", ""), (#"{"agent":"a b"}"#, "agent"), (#"{"agent":"a","cwd":"srv"}"#, "cwd"), (#"{"agent":"a","role":"boss"}"#, "role"),
        (#"{"agent":"a","role":"worker","coordinates":{"parents":["p"]}}"#, "coordinates"), (#"{"agent":"a","wake_on":"failed"}"#, "wake_on"),
        (#"{"agent":"a","pending":10001}"#, "pending"), (#"{"agent":"a","timeout":"0s"}"#, "timeout"), (#"{"agent":"a","prompt":"x"}"#, "prompt"),
    ]

    @Test(arguments: good) func readsAgents(_ text: String) throws { _ = try AgentConfiguration.read(try JSONReader.read(text)) }

    @Test(arguments: bad) func rejectsAgents(_ text: String, _ field: String) throws {
        let value = try JSONReader.read(text)
        let fault = #expect(throws: TaskFault.self) { try AgentConfiguration.read(value) }
        #expect(fault?.path.description == field)
    }

    @Test(arguments: goodSessions) func readsSessions(_ text: String) throws {
        let session = try SessionConfiguration.read(try JSONReader.read(text))
        #expect(try SessionConfiguration.read(.object(session.json)) == session)
    }

    @Test(arguments: badSessions) func rejectsSessions(_ text: String, _ field: String) throws {
        let value = try JSONReader.read(text)
        let fault = #expect(throws: TaskFault.self) { try SessionConfiguration.read(value) }
        #expect(fault?.path.description == field)
    }
}
