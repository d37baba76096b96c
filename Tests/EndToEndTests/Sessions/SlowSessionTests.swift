import Glibc
import SpoolFormat
import Testing
import TestSupport

/// One slow session delays no other: sessions that hang, and sessions that flood, all at once, beside one that is woken.
///
/// Nothing is timed. What is shown is an order: every wake of the other session has come to its end while all of the slow
/// ones are where they were, and those that flood have gone on flooding meanwhile.
@Suite struct SlowSessionTests {
    /// A session that is slow in one way, and the file that shows that it has begun.
    private struct Slow: Sendable {
        let name: String
        let agent: String
        /// In whose log what it writes without end goes; `nil` for one that is silent.
        var flood: Flood?

        enum Flood { case ofTurn, ofProcess }

        func log(_ spool: TestSpool) -> String? {
            switch flood {
            case .ofTurn: "running/\(name)-1/log"
            case .ofProcess: spool.session(name)?["process"]?.string.map { "running/\($0)/log" }
            case nil: nil
            }
        }
    }

    private static func acp(_ arguments: String, _ more: String) -> String {
        #"{"driver": "acp", "command": ["python3", "\#(Programs.fixtures)/agents/acp.py"\#(arguments)]\#(more)}"#
    }

    /// With a nice value, as they are to fill pipes and not the machine.
    private static let slow: [Slow] = [
        Slow(name: "hangs-in-cancel", agent: acp(#", "--deaf""#, #", "cancel_timeout": "1h""#)),
        Slow(name: "hangs-at-start", agent: acp(#", "--mute", "initialize", "--deaf""#, #", "ready": {"timeout": "1h"}"#)),
        Slow(
            name: "floods-in-text",
            agent: #"{"driver": "command", "command": ["nice", "sh", "-c", "cat >/dev/null; exec yes 'a line of a flood'"], "output": {"format": "text"}}"#,
            flood: .ofTurn),
        Slow(
            name: "floods-in-acp", agent: acp("", "").replacing(#"["python3""#, with: #"["nice", "python3""#),
            flood: .ofTurn),
        Slow(
            name: "floods-in-tmux",
            agent: #"{"driver": "tmux", "command": ["nice", "sh", "-c", "echo ready; read prompt; exec yes 'a line of a flood'"], "ready": {"pattern": "^ready$", "quiet": "0s", "timeout": "1h"}}"#,
            flood: .ofProcess),
    ]

    private static let prompts = ["hangs-in-cancel": "ignore-cancel", "floods-in-acp": "flood 1000000000"]

    private func size(_ spool: TestSpool, _ name: String?) -> Int {
        var status = stat()
        return name.map { stat(spool.path($0), &status) == 0 ? Int(status.st_size) : 0 } ?? 0
    }

    @Test func wakesArriveWhileOthersHangAndFlood() {
        let spool = TestSpool()
        let agent = ScriptAgent(spool)
        mkdir(spool.path(".home"), 0o700)
        for slow in Self.slow {
            spool.configure("agents/\(slow.name)", slow.agent)
            spool.defineSession(slow.name, #", "grace": "500ms", "env": {"FAKE_HOME": "\#(spool.path(".home"))"}"#, agent: slow.name)
        }
        spool.defineSession("other")
        let daemon = TestDaemon(spool)
        for slow in Self.slow { spool.drop("\(slow.name)-1", #"{"session": "\#(slow.name)", "prompt": "\#(Self.prompts[slow.name] ?? "go")"}"#) }
        // All are where they are slow.
        #expect(spool.wait { spool.lines("sessions/hangs-in-cancel/events.jsonl").contains { $0["event"]?.string == "update" } })
        spool.drop("cancel", #"{"interrupt": "hangs-in-cancel"}"#)
        #expect(spool.outcome("cancel") == "succeeded")
        #expect(spool.exists("running/hangs-in-cancel-1/interrupt.json"))
        #expect(spool.session("hangs-at-start", reaches: "starting"))
        for slow in Self.slow where slow.flood != nil {
            #expect(spool.wait { size(spool, slow.log(spool)) > 1 << 20 }, "\(slow.name)")
        }
        let before = Self.slow.map { size(spool, $0.log(spool)) }

        for number in 1...10 {
            // They have wakes of their own on the way, which are to hold up nobody either.
            for slow in Self.slow { spool.drop("\(slow.name)-wake-\(number)", #"{"wake": "\#(slow.name)", "mode": "interrupt_if_waiting"}"#) }
            spool.drop("wake-\(number)", #"{"wake": "other", "reason": "number \#(number)"}"#)
            #expect(spool.outcome("wake-\(number)") == "succeeded")
            #expect(spool.wake("wake-\(number)")?["outcome"]?.string == "sent")
        }
        #expect(agent.prompts.count == 10)
        for (index, slow) in Self.slow.enumerated() {
            #expect(spool.result(of: "\(slow.name)-1") == nil, "\(slow.name) is not slow")
            if slow.flood != nil {
                #expect(spool.wait { size(spool, slow.log(spool)) > before[index] }, "\(slow.name) floods no more")
            }
        }
        for slow in Self.slow {
            spool.drop("\(slow.name)-lock", #"{"lock": "\#(slow.name)"}"#)
            spool.drop("\(slow.name)-stop", #"{"stop": "\#(slow.name)"}"#)
        }
        for slow in Self.slow { #expect(spool.wait { spool.session(slow.name)?["process"] == nil && spool.session(slow.name)?["turn"] == nil }, "\(slow.name)") }
        #expect(daemon.stop() == 0)
        #expect(spool.wait { Programs.processes(ofSpool: spool.path).isEmpty }, "\(Programs.processes(ofSpool: spool.path))")
    }
}
