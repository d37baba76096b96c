import Glibc
import SpoolFormat
import Testing
import TestSupport

/// A session whose agent stays, with everything that is said to one: prompts, an answer, an interrupt, a restart and a stop.
/// Whenever the daemon is gone, another one is started, without faults.
///
/// The agent keeps every prompt that it hears in a file of its conversation, and takes that up again in a new process: a
/// prompt that was said twice, or not at all, is seen there. Each process of it leaves a line in another file.
final class KeptScenario {
    let spool = TestSpool()
    private let daemon: RevivedDaemon
    var kills: Int { daemon.kills }

    /// What is said, in order.
    private static let prompts = [
        ("one", "say hello"), ("asks", "permission edit"), ("hangs", "hang"), ("two", "say again"), ("three", "recall"),
    ]
    private static let verbs = ["answer", "interrupt", "restart", "stop", "end"]

    init() {
        daemon = RevivedDaemon(spool) { [spool] in Self.describe(spool) }
        mkdir(spool.path + "/.home", 0o700)
        let program = Programs.fixtures + "/agents/acp.py"
        let start = #"echo $$ >> \"$FAKE_HOME/.starts\"; exec python3 \"$0\" --load real"#
        spool.configure("agents/kept", #"""
            {"driver": "acp", "command": ["sh", "-c", "\#(start)", "\#(program)"], "env": {"FAKE_HOME": "\#(spool.path)/.home"}, "cancel_timeout": "1h"}
            """#)
        spool.defineSession("talk", agent: "kept")
    }

    private static func describe(_ spool: TestSpool) -> String {
        let states = (JobState.allCases.map(\.rawValue) + ["inbox", "rejected"]).map { "\($0): \(spool.list($0))" }
        let files = ["sessions/talk/state.json", "sessions/talk/turn.json", "sessions/talk/acp.json", ".home/.starts"].map { "\($0): \(spool.text($0) ?? "-")" }
        return (states + files + spool.events().suffix(60).map { JSONWriter.text($0) }).joined(separator: "\n")
    }

    private func isOver(_ ids: String...) -> Bool { ids.allSatisfy { spool.exists("done/\($0)") || spool.exists("failed/\($0)") } }

    private func prompt(_ id: String) {
        spool.drop(id, #"{"session": "talk", "prompt": "\#(Self.prompts.first { $0.0 == id }!.1)"}"#)
    }

    private var events: [JSON] { spool.lines("sessions/talk/events.jsonl") }

    func play(wrapper: [String]) {
        prompt("one")
        daemon.start(wrapper: wrapper)
        daemon.wait("the first turn") { isOver("one") }
        prompt("asks")
        daemon.wait("a turn that waits") { spool.exists("sessions/talk/waiting.json") && spool.session("talk")?["state"]?.string == "waiting" }
        spool.drop("answer", #"{"answer": "allow", "session": "talk"}"#)
        daemon.wait("the answer") { isOver("answer", "asks") }
        prompt("hangs")
        daemon.wait("a turn that hangs") { events.contains { $0["turn"]?.string == "hangs" && $0["event"]?.string == "update" } }
        spool.drop("interrupt", #"{"interrupt": "talk"}"#)
        daemon.wait("the interrupt") { isOver("interrupt", "hangs") }
        spool.drop("restart", #"{"restart": "talk"}"#)
        daemon.wait("another process") { isOver("restart") && processes.filter { spool.state(of: $0) == "failed" }.count == 1 }
        prompt("two")
        daemon.wait("the turn after the restart") { isOver("two") }
        spool.drop("stop", #"{"stop": "talk"}"#)
        daemon.wait("the stop") { isOver("stop") && spool.session("talk")?["state"]?.string == "cold" }
        prompt("three")
        daemon.wait("the last turn") { isOver("three") }
        spool.drop("end", #"{"stop": "talk"}"#)
        daemon.wait("the end") { isOver("end") && spool.session("talk")?["state"]?.string == "cold" }
    }

    // MARK: what must be true

    private var processes: [String] { JobState.allCases.flatMap { spool.list($0.rawValue) }.filter { $0.hasPrefix("talk.agent") } }

    func check(_ label: String) {
        guard !daemon.patienceIsOver else { return }
        daemon.keepAlive()
        for verb in Self.verbs {
            #expect(spool.result(of: verb)?["outcome"]?.string == "succeeded", "\(label): \(verb) \(spool.result(of: verb).map { JSONWriter.text($0) } ?? "")")
        }
        for (id, _) in Self.prompts {
            let result = spool.result(of: id)
            #expect(result?["outcome"]?.string == (id == "hangs" ? "cancelled" : "succeeded"), "\(label): \(id) \(result.map { JSONWriter.text($0) } ?? "")")
            #expect(result?["attempts"]?.int == 1, "\(label): \(id)")
        }
        #expect(spool.result(of: "asks")?["output"]?["text"]?.string == "chosen: 1", "\(label)")
        // One process at first, one for the restart, one for the prompt after the stop: and nothing else has ended them.
        #expect(processes.count == 3 && processes.allSatisfy { spool.result(of: $0)?["outcome"]?.string == "cancelled" }, "\(label): \(processes)")
        #expect(spool.text(".home/.starts")?.split(separator: "\n").count == 3, "\(label)")
        checkConversation(label)
        #expect(spool.list("rejected").isEmpty, "\(label)")
        daemon.end(label)
        #expect(!spool.exists("sessions/talk/agent.sock") && !spool.exists("sessions/talk/waiting.json"), "\(label)")
    }

    private func checkConversation(_ label: String) {
        let conversations = spool.list(".home")
        #expect(conversations.count == 1, "\(label): \(conversations)")
        let heard = conversations.first.flatMap { spool.json(".home/\($0)")?.array?.compactMap(\.string) }
        #expect(heard == Self.prompts.map(\.1), "\(label)")
        #expect(spool.result(of: "three")?["output"]?["text"]?.string == Self.prompts.dropLast().map(\.1).joined(separator: " | "), "\(label)")
        let said = spool.lines("sessions/talk/transcript.jsonl")
        #expect(said.compactMap { $0["turn"]?.string } == Self.prompts.flatMap { [$0.0, $0.0] }, "\(label)")
        #expect(events.filter { $0["event"]?.string == "prompt" }.compactMap { $0["turn"]?.string } == Self.prompts.map(\.0), "\(label)")
        #expect(spool.session("talk")?["turns"]?.int == Self.prompts.count, "\(label)")
        #expect(spool.session("talk")?["deaths"] == nil, "\(label)")
    }
}
