import Glibc
import SpoolFormat
import Testing
import TestSupport

/// What every driver does, shown by one agent that can be talked to in three ways, with real daemons.
@Suite struct ConformanceTests {
    enum Way: String, CaseIterable, Sendable {
        case command, acp, terminal

        /// Whether the agent's process stays between turns.
        var stays: Bool { self != .command }

        func configuration(_ home: String) -> String {
            let program = Programs.fixtures + "/agents/conforming.py"
            let command = ["python3", program, rawValue, home].map { "\"\($0)\"" }.joined(separator: ", ")
            return switch self {
            case .command:
                #"{"driver": "command", "command": [\#(command)], "resume": [\#(command), "{session}"], "output": {"format": "json", "session": "session", "text": "text"}}"#
            case .acp: #"{"driver": "acp", "command": [\#(command)]}"#
            case .terminal:
                #"{"driver": "tmux", "command": [\#(command)], "interrupt_keys": ["C-c"], "ready": {"pattern": "(?m)^you>$", "quiet": "250ms", "timeout": "60s"}}"#
            }
        }
    }

    private struct Talk {
        let spool = TestSpool()
        let gate: Gate
        let home: String

        init(_ way: Way, _ options: String = "") {
            home = spool.path + "/.agent"
            mkdir(home, 0o700)
            gate = Gate(spool, "agent/gate")
            spool.configure("agents/conforming", way.configuration(home))
            spool.configure("sessions/talk", #"{"agent": "conforming"\#(options)}"#)
        }

        func drop(_ id: String, _ text: String, _ more: String = "") {
            spool.drop(id, #"{"session": "talk", "prompt": "\#(text)"\#(more)}"#)
        }

        func text(_ id: String) -> String { spool.finished(id)?["output"]?["text"]?.string ?? "" }

        /// Waits until the agent has come so far in a turn.
        func comes(to place: String) -> Bool { spool.wait { spool.exists(".agent/\(place)") } }

        /// Ends the session, and with it whatever stays.
        func end(_ daemon: TestDaemon) {
            spool.drop("the-end", #"{"stop": "talk"}"#)
            #expect(spool.outcome("the-end") == "succeeded")
            #expect(spool.session("talk", reaches: "cold"))
            #expect(daemon.stop() == 0)
            #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty })
            #expect(!spool.exists("sessions/talk/agent.sock") && !spool.exists("sessions/talk/tmux.sock"))
        }
    }

    @Test(arguments: Way.allCases) func aConversationGoesOnFromTurnToTurn(_ way: Way) {
        let talk = Talk(way)
        let daemon = TestDaemon(talk.spool)
        talk.drop("one", "hello")
        #expect(talk.text("one").contains("heard 1 of"), "\(talk.text("one"))")
        #expect(talk.spool.session("talk", reaches: way.stays ? "idle" : "cold"))
        talk.drop("two", String(repeating: "long ", count: 20_000) + "end")
        #expect(talk.text("two").contains("heard 2 of"))
        #expect(talk.text("two").contains("100003 characters"), "\(talk.text("two").suffix(100))")
        #expect(talk.spool.outcome("two") == "succeeded")
        #expect(talk.spool.list("done").filter { $0.hasPrefix("talk.agent-") }.isEmpty)
        #expect(talk.spool.list("running").count == (way.stays ? 1 : 0))
        talk.end(daemon)
    }

    @Test(arguments: Way.allCases) func anInterruptEndsTheTurnAndNotTheConversation(_ way: Way) {
        let talk = Talk(way)
        let daemon = TestDaemon(talk.spool)
        talk.drop("one", "hello")
        #expect(talk.text("one").contains("heard 1 of"))
        talk.drop("two", "endless")
        #expect(talk.comes(to: "endless"))
        talk.spool.drop("interrupt", #"{"interrupt": "talk"}"#)
        #expect(talk.spool.outcome("interrupt") == "succeeded")
        #expect(talk.spool.finished("two")?["error"]?["code"]?.string == "interrupted")
        #expect(talk.spool.outcome("two") == "cancelled")
        talk.drop("three", "hello again")
        // What was interrupted has been heard by an agent that stays.
        #expect(talk.text("three").contains("heard \(way.stays ? 3 : 2) of"), "\(talk.text("three"))")
        talk.end(daemon)
    }

    @Test(arguments: Way.allCases) func anAgentThatDiesInATurnFailsItAndIsThereForTheNext(_ way: Way) {
        let talk = Talk(way)
        let daemon = TestDaemon(talk.spool)
        talk.drop("one", "die now")
        #expect(talk.spool.outcome("one") == "failed")
        talk.drop("two", "hello")
        #expect(talk.text("two").contains("heard 1 of"), "\(talk.text("two"))")
        #expect(talk.spool.outcome("two") == "succeeded")
        if way.stays {
            let ended = talk.spool.list("failed").filter { $0.hasPrefix("talk.agent-") }
            #expect(ended.count == 1 && talk.spool.result(of: ended[0])?["exit_code"]?.int == 7)
        }
        talk.end(daemon)
    }

    @Test(arguments: Way.allCases) func aDaemonThatIsKilledInATurnLeavesItsTrueResult(_ way: Way) {
        let talk = Talk(way)
        let first = TestDaemon(talk.spool)
        talk.drop("one", "wait for it")
        #expect(talk.comes(to: "waiting"))
        first.kill9()
        let second = TestDaemon(talk.spool)
        #expect(talk.spool.session("talk", reaches: "working"))
        talk.gate.open()
        #expect(talk.text("one").contains("heard 1 of"), "\(talk.text("one"))")
        #expect(talk.spool.result(of: "one")?["attempts"]?.int == 1)
        talk.drop("two", "hello")
        #expect(talk.text("two").contains("heard 2 of"))
        #expect(talk.spool.lines("sessions/talk/transcript.jsonl").map { $0["turn"]?.string } == ["one", "one", "two", "two"])
        talk.end(second)
    }

    @Test(arguments: Way.allCases) func aTurnPastItsTimeEndsAndTheNextOneIsHeard(_ way: Way) {
        let talk = Talk(way, #", "grace": "1s""#)
        let daemon = TestDaemon(talk.spool)
        talk.drop("one", "hello")
        #expect(talk.spool.outcome("one") == "succeeded")
        talk.drop("two", "endless", #", "timeout": "2s""#)
        #expect(talk.spool.outcome("two") == "timed_out")
        talk.drop("three", "hello")
        #expect(talk.spool.outcome("three") == "succeeded")
        talk.end(daemon)
    }

    @Test(arguments: Way.allCases) func aSessionIsStoppedInATurnAndRevivedByTheNextPrompt(_ way: Way) {
        let talk = Talk(way)
        let daemon = TestDaemon(talk.spool)
        talk.drop("one", "endless")
        #expect(talk.comes(to: "endless"))
        talk.spool.drop("stop", #"{"stop": "talk"}"#)
        #expect(talk.spool.finished("stop")?["output"]?["now"]?.string == "stopping")
        #expect(talk.spool.outcome("one") == "cancelled")
        #expect(talk.spool.session("talk", reaches: "cold"))
        talk.drop("two", "hello")
        #expect(talk.spool.outcome("two") == "succeeded")
        talk.end(daemon)
    }

    /// One session hangs, and another is as quick as alone.
    @Test(arguments: Way.allCases) func aSessionThatHangsHoldsUpNoOther(_ way: Way) {
        let talk = Talk(way)
        _ = ScriptAgent(talk.spool)
        talk.spool.defineSession("other")
        let daemon = TestDaemon(talk.spool)
        talk.drop("one", "endless")
        #expect(talk.comes(to: "endless"))
        for index in 0..<5 {
            talk.spool.drop("other-\(index)", #"{"wake": "other", "reason": "\#(index)"}"#)
            #expect(talk.spool.outcome("other-\(index)") == "succeeded")
        }
        #expect(talk.spool.exists("running/one"))
        talk.end(daemon)
    }
}
